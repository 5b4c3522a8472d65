const { randomBytes } = require('node:crypto');
const { StorageEnums } = require('@bnb-chain/greenfield-js-sdk');
const { fileOf, mustWork, until } = require('../user.cjs');

const { VisibilityType } = StorageEnums;

/** Uploads that begin without a transaction of the client's: the provider sends it. */

exports['a file is uploaded without a transaction, sealed, read and replaced'] = async (user) => {
  const { client } = user;
  const bucketName = await user.createBucket('delegated');
  const file = fileOf(randomBytes(200_000), 'image/png');
  let sent = 0;
  const onProgress = ({ loaded }) => {
    sent = Math.max(sent, loaded);
  };
  const put = await delegate(user, bucketName, 'sunset.png', file, { onProgress });
  const { checksums, ...object } = await user.sealed(bucketName, 'sunset.png');
  const same = (await readByAnybody(user, bucketName, 'sunset.png')).equals(file.content);

  const other = fileOf(randomBytes(70_000), 'image/jpeg');
  const delegatedOpts = { visibility: VisibilityType.VISIBILITY_TYPE_UNSPECIFIED, isUpdate: true };
  const update = await delegate(user, bucketName, 'sunset.png', other, { delegatedOpts });
  const updated = await until(async () => {
    const { objectInfo } = await client.object.headObject(bucketName, 'sunset.png');
    return objectInfo.version.toNumber() === 1 && objectInfo;
  });
  return {
    put,
    sent,
    owner: object.owner === user.address,
    contentType: object.contentType,
    hasChecksums: checksums.length,
    same,
    update,
    updatedSize: updated.payloadSize.toNumber(),
    sameUpdate: (await readByAnybody(user, bucketName, 'sunset.png')).equals(other.content),
    again: await delegate(user, bucketName, 'sunset.png', file),
  };
};

exports['a folder is created without a transaction'] = async (user) => {
  const bucketName = await user.createBucket('delegated-folders');
  const delegatedOpts = { visibility: VisibilityType.VISIBILITY_TYPE_PRIVATE };
  const make = () =>
    user.client.object.delegateCreateFolder({ bucketName, objectName: 'letters/', delegatedOpts }, user.auth);
  const made = mustWork(await make());
  const { objectStatus, payloadSize, visibility } = await user.sealed(bucketName, 'letters/');
  return {
    status: objectStatus,
    size: payloadSize.toNumber(),
    visibility,
    hash: made.body.CreateHash.TxHash,
    again: await make(),
  };
};

/** The SDK takes the size of a part for that of the payload: nothing good can come of it, on chain or here. */
exports['an upload in parts without a transaction is refused before anything is created'] = async (user) => {
  const { client } = user;
  const { params } = await client.storage.params();
  const partSize = params.versionedParams.maxSegmentSize.toNumber();
  const bucketName = await user.createBucket('delegated-parts');
  const file = fileOf(randomBytes(3 * partSize), 'video/mp4');
  const resumableOpts = { partSize, disableResumable: false };
  const refused = await delegate(user, bucketName, 'film', file, { resumableOpts });
  const head = await client.object.headObject(bucketName, 'film').catch(({ message }) => message);
  const whole = await delegate(user, bucketName, 'film', file);
  await user.sealed(bucketName, 'film');
  return { refused, head, whole };
};

function delegate(user, bucketName, objectName, body, more) {
  const delegatedOpts = { visibility: VisibilityType.VISIBILITY_TYPE_PUBLIC_READ };
  const upload = { bucketName, objectName, body, delegatedOpts, timeout: 90_000, ...more };
  return user.client.object.delegateUploadObject(upload, user.auth);
}

async function readByAnybody({ sp }, bucketName, objectName) {
  const url = new URL(sp.endpoint);
  const response = await fetch(`${url.origin}/${bucketName}/${objectName}`);
  if (!response.ok) throw new Error(await response.text());
  return Buffer.from(await response.arrayBuffer());
}
