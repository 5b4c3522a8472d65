const { randomBytes } = require('node:crypto');
const { createRequire } = require('node:module');
const { StorageEnums } = require('@bnb-chain/greenfield-js-sdk');
const { fileOf, mustWork, until } = require('../user.cjs');

const { VisibilityType } = StorageEnums;

/** What the SDK itself signs with stands for a wallet, and what it reads with for a browser. */
const requireOfSdk = createRequire(require.resolve('@bnb-chain/greenfield-js-sdk'));
const { personalSign } = requireOfSdk('@metamask/eth-sig-util');
const fetch = requireOfSdk('cross-fetch');

const RANGE = { Range: 'bytes=65530-131080' };

exports['anyone can read a public file, in whole and in part'] = async (user) => {
  const file = fileOf(randomBytes(200_000), 'video/mp4');
  const bucketName = await user.createBucket('public', VisibilityType.VISIBILITY_TYPE_PUBLIC_READ);
  await user.store(bucketName, 'film.mp4', file);
  const url = `${user.sp.endpoint.replace('://', `://${bucketName}.`)}/film.mp4`;
  const whole = await fetch(url);
  const part = await fetch(url, { headers: RANGE });
  return {
    type: whole.headers.get('content-type'),
    same: Buffer.from(await whole.arrayBuffer()).equals(file.content),
    range: part.headers.get('content-range'),
    samePart: Buffer.from(await part.arrayBuffer()).equals(file.content.subarray(65530, 131081)),
  };
};

exports['an off-chain key registered by the wallet can upload, read and create links'] = async (user) => {
  const { client, address } = user;
  const auth = await registerKey(user);
  const file = fileOf(randomBytes(150_000), 'application/pdf');
  const bucketName = await user.createBucket('keys');
  const txnHash = await user.createObject(bucketName, 'a b.pdf', file);
  const upload = { bucketName, objectName: 'a b.pdf', body: file, txnHash, duration: 90_000 };
  const put = await client.object.uploadObject(upload, auth);
  await user.sealed(bucketName, 'a b.pdf');
  const expiry = rfc3339(600_000);
  const queryMap = {
    'X-Gnfd-User-Address': address,
    'X-Gnfd-App-Domain': auth.domain,
    'X-Gnfd-Expiry-Timestamp': expiry,
  };
  const link = await client.object.getObjectPreviewUrl({ bucketName, objectName: 'a b.pdf', queryMap }, auth);
  const whole = await fetch(link);
  const part = await fetch(link, { headers: RANGE });
  const forged = await fetch(
    link.replace(encodeURIComponent(expiry), encodeURIComponent(rfc3339(1_200_000))),
  );
  return {
    put,
    same: (await user.get(bucketName, 'a b.pdf', auth)).equals(file.content),
    sameByLink: Buffer.from(await whole.arrayBuffer()).equals(file.content),
    samePartByLink: Buffer.from(await part.arrayBuffer()).equals(file.content.subarray(65530, 131081)),
    forged: { status: forged.status, body: await forged.text() },
  };
};

/** @param ms from now */
function rfc3339(ms) {
  return `${new Date(Date.now() + ms).toISOString().slice(0, 19)}Z`;
}

/** The SDK gives each provider three seconds for this. @returns what it then signs with */
async function registerKey({ client, address, privateKey, sp }) {
  const provider = {
    request: async ({ params: [data] }) =>
      personalSign({ privateKey: Buffer.from(privateKey.slice(2), 'hex'), data }),
  };
  const domain = globalThis.origin;
  const { body } = await until(async () =>
    mustWork(
      await client.offchainauth.genOffChainAuthKeyPairAndUpload(
        {
          sps: [{ address: sp.operatorAddress, endpoint: sp.endpoint }],
          address,
          domain,
          expirationMs: 24 * 3600 * 1000,
          chainId: 9000,
        },
        provider,
      ),
    ),
  );
  return { type: 'EDDSA', address, domain, seed: body.seedString };
}
