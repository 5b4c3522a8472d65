const { randomBytes } = require('node:crypto');
const { createRequire } = require('node:module');
const {
  GRNToString,
  Long,
  newBucketGRN,
  newGroupGRN,
  StorageEnums,
} = require('@bnb-chain/greenfield-js-sdk');
const { fileOf } = require('../user.cjs');

const { VisibilityType } = StorageEnums;
const requireOfSdk = createRequire(require.resolve('@bnb-chain/greenfield-js-sdk'));
const fetch = requireOfSdk('cross-fetch');
const { signTypedData, SignTypedDataVersion } = requireOfSdk('@metamask/eth-sig-util');

/** Numbers of the permission module: EFFECT_ALLOW, ACTION_GET_OBJECT, PRINCIPAL_TYPE_GNFD_GROUP. */
const ALLOW = 1;
const GET_OBJECT = 6;
const GROUP = 2;

exports['a private file is readable by a group, then by everybody, then by nobody'] = async (
  user,
  friend,
) => {
  const { client, address } = user;
  const file = fileOf(randomBytes(100_000), 'text/plain');
  const bucketName = await user.createBucket('shared');
  await user.store(bucketName, 'plan.txt', file);
  const seenBy = async (reader) => {
    const read = { bucketName, objectName: 'plan.txt', duration: 90_000 };
    const { code, body } = await client.object.getObject(read, reader.auth);
    return code === 0 && Buffer.from(await body.arrayBuffer()).equals(file.content);
  };
  const stranger = await seenBy(friend);

  await user.send(client.group.createGroup({ creator: address, groupName: 'friends', extra: '' }));
  // The SDK signs times only by a wallet: with a key of its own it takes them as other texts than it sends.
  await sendByWallet(
    user,
    client.group.updateGroupMember({
      operator: address,
      groupOwner: address,
      groupName: 'friends',
      membersToAdd: [{ member: friend.address, expirationTime: inAnHour() }],
      membersToDelete: [],
    }),
  );
  await user.send(
    client.object.putObjectPolicy(bucketName, 'plan.txt', {
      operator: address,
      principal: { type: GROUP, value: GRNToString(newGroupGRN(address, 'friends')) },
      statements: [{ effect: ALLOW, actions: [GET_OBJECT], resources: [] }],
    }),
  );
  const member = await seenBy(friend);

  const resource = GRNToString(newBucketGRN(bucketName));
  const tags = { tags: [{ key: 'project', value: 'x' }] };
  await user.send(client.storage.setTag({ operator: address, resource, tags }));
  const tagged = (await client.bucket.headBucket(bucketName)).bucketInfo.tags.tags;

  // The object inherits what its bucket says.
  await user.send(
    client.bucket.updateBucketInfo({
      operator: address,
      bucketName,
      visibility: VisibilityType.VISIBILITY_TYPE_PUBLIC_READ,
      paymentAddress: address,
      chargedReadQuota: '0',
    }),
  );
  const url = `${user.sp.endpoint.replace('://', `://${bucketName}.`)}/plan.txt`;
  const anybody = (await fetch(url)).status;
  await user.send(client.object.deleteObject({ operator: address, bucketName, objectName: 'plan.txt' }));
  const nobody = (await fetch(url)).status;
  await user.send(client.bucket.deleteBucket({ operator: address, bucketName }));
  return { stranger, member, tagged, anybody, nobody };
};

/** With milliseconds: the SDK writes them even where they are none, and the chain does not. */
function inAnHour() {
  return { seconds: Long.fromNumber(Math.floor(Date.now() / 1000) + 3600), nanos: 123_000_000 };
}

/** What the user's wallet signs is JSON, as in a browser. */
async function sendByWallet({ address, privateKey }, tx) {
  const { gasLimit, gasPrice } = await (await tx).simulate({ denom: 'BNB' });
  const sent = await (await tx).broadcast({
    denom: 'BNB',
    gasLimit: Number(gasLimit),
    gasPrice,
    payer: address,
    granter: '',
    signTypedDataCallback: async (_, json) =>
      signTypedData({
        privateKey: Buffer.from(privateKey.replace(/^0x/, ''), 'hex'),
        data: JSON.parse(json),
        version: SignTypedDataVersion.V4,
      }),
  });
  if (sent.code !== 0) throw new Error(`transaction refused: ${sent.code} ${sent.rawLog}`);
}
