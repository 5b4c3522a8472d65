const { randomBytes } = require('node:crypto');
const { Long, StorageEnums } = require('@bnb-chain/greenfield-js-sdk');
const { ReedSolomon } = require('@bnb-chain/reed-solomon');
const { fileOf, until } = require('../user.cjs');

const { RedundancyType, VisibilityType } = StorageEnums;

exports['a file is uploaded, sealed and read back'] = async (user) => {
  const { client, auth } = user;
  const file = fileOf(randomBytes(300_000), 'image/png');
  const bucketName = await user.createBucket('files');
  const objectName = 'pictures/sunset.png';
  const txnHash = await user.createObject(bucketName, objectName, file);
  const progress = [await client.object.getObjectUploadProgress(bucketName, objectName, auth)];
  let sent = 0;
  const onProgress = ({ loaded }) => {
    sent = Math.max(sent, loaded);
  };
  const put = await user.upload(bucketName, objectName, file, { txnHash, onProgress });
  // Once the chain has it sealed, the SDK gives the number of the object's status in place of a text.
  await until(async () => {
    const text = await client.object.getObjectUploadProgress(bucketName, objectName, auth);
    if (!progress.includes(text)) progress.push(text);
    return text === '1';
  });
  const { id } = await user.sealed(bucketName, objectName);
  const { objectInfo } = await client.object.headObjectById(id);
  const { bucketInfo } = await client.bucket.headBucket(bucketName);
  return {
    bucketName,
    owner: bucketInfo.owner,
    familyId: bucketInfo.globalVirtualGroupFamilyId,
    objectName: objectInfo.objectName,
    contentType: objectInfo.contentType,
    size: objectInfo.payloadSize.toNumber(),
    put,
    sent,
    progress,
    same: (await user.get(bucketName, objectName)).equals(file.content),
  };
};

/**
 * As most applications do it: hashes by the default settings, which are for segments of 16 MiB, and no word of the
 * transaction, for which the SDK then asks the provider.
 */
exports['a file of one segment has the checksums of the default settings, and needs no transaction hash'] =
  async (user) => {
    const content = randomBytes(12_345);
    const checksums = new ReedSolomon().encode(Uint8Array.from(content));
    const bucketName = await user.createBucket('small');
    await user.send(
      user.client.object.createObject({
        bucketName,
        objectName: 'file',
        creator: user.address,
        visibility: VisibilityType.VISIBILITY_TYPE_INHERIT,
        contentType: 'application/octet-stream',
        redundancyType: RedundancyType.REDUNDANCY_EC_TYPE,
        payloadSize: Long.fromInt(content.length),
        expectChecksums: checksums.map((text) => Buffer.from(text, 'base64')),
      }),
    );
    const put = await user.upload(bucketName, 'file', fileOf(content));
    await user.sealed(bucketName, 'file');
    return { put, same: (await user.get(bucketName, 'file')).equals(content) };
  };

exports['content that was not announced is refused, and the right content then accepted'] = async (user) => {
  const file = fileOf(randomBytes(70_000));
  const bucketName = await user.createBucket('wrong');
  const txnHash = await user.createObject(bucketName, 'file', file);
  const other = await user.upload(bucketName, 'file', fileOf(randomBytes(file.size)), { txnHash });
  const short = await user.upload(bucketName, 'file', fileOf(file.content.subarray(1)), { txnHash });
  const right = await user.upload(bucketName, 'file', file, { txnHash });
  await user.sealed(bucketName, 'file');
  return { other, short, right, late: await user.upload(bucketName, 'file', file, { txnHash }) };
};

exports['a cancelled object is gone, and its upload is refused'] = async (user) => {
  const { client, address } = user;
  const file = fileOf(randomBytes(1_000));
  const bucketName = await user.createBucket('cancel');
  const txnHash = await user.createObject(bucketName, 'file', file);
  await user.send(client.object.cancelCreateObject({ operator: address, bucketName, objectName: 'file' }));
  const head = await client.object.headObject(bucketName, 'file').catch(({ message }) => message);
  return { head, put: await user.upload(bucketName, 'file', file, { txnHash }) };
};

exports['folders need no upload, and one transaction creates several'] = async (user) => {
  const { client, address } = user;
  const bucketName = await user.createBucket('folders');
  const names = ['letters/', 'letters/2024/'];
  const transactions = names.map((objectName) =>
    client.object.createFolder({
      bucketName,
      objectName,
      creator: address,
      visibility: VisibilityType.VISIBILITY_TYPE_INHERIT,
      redundancyType: RedundancyType.REDUNDANCY_EC_TYPE,
    }),
  );
  await user.send(client.txClient.multiTx(await Promise.all(transactions)));
  return Promise.all(
    names.map(async (objectName) => {
      const { objectInfo } = await client.object.headObject(bucketName, objectName);
      const bytes = (await user.get(bucketName, objectName)).length;
      return { status: objectInfo.objectStatus, size: objectInfo.payloadSize.toNumber(), bytes };
    }),
  );
};

exports['a name that needs encoding is uploaded and read back'] = async (user) => {
  const objectName = `Überraschung/合同 & <b>it's "100%+1"?#=~!@$^;:,[]{}|(a)*.txt`;
  const file = fileOf(randomBytes(1_000), 'text/plain; charset=utf-8');
  const bucketName = await user.createBucket('names');
  const object = await user.store(bucketName, objectName, file);
  return {
    sameName: object.objectName === objectName,
    same: (await user.get(bucketName, objectName)).equals(file.content),
  };
};

exports['an upload in parts resumes after a lost connection'] = async (user) => {
  const { client, auth } = user;
  const { params } = await client.storage.params();
  const partSize = 2 * params.versionedParams.maxSegmentSize.toNumber();
  const resumableOpts = { partSize, disableResumable: false };
  const file = fileOf(randomBytes(3 * partSize + 1_000), 'video/mp4');
  const bucketName = await user.createBucket('parts');
  const txnHash = await user.createObject(bucketName, 'film', file);
  const offset = () => client.object.getObjectResumableUploadOffset(bucketName, 'film', auth);
  const offsets = [await offset()];
  const reconnect = loseConnection(client, `${bucketName}.`, `offset=${2 * partSize}`);
  const broken = await user.upload(bucketName, 'film', file, { txnHash, resumableOpts });
  offsets.push(await offset());
  reconnect();
  const put = await user.upload(bucketName, 'film', file, { txnHash, resumableOpts });
  await user.sealed(bucketName, 'film');
  return {
    partSize,
    offsets,
    broken,
    put,
    same: (await user.get(bucketName, 'film')).equals(file.content),
  };
};

/** Requests whose URL holds all of these texts do not arrive. @returns ends that */
function loseConnection({ object: { spClient } }, ...texts) {
  const { callApi } = spClient;
  spClient.callApi = async (url, ...rest) => {
    if (texts.every((text) => url.includes(text))) throw new Error('connection lost');
    return callApi.call(spClient, url, ...rest);
  };
  return () => {
    spClient.callApi = callApi;
  };
}
