const { setTimeout: sleep } = require('node:timers/promises');
const { Long, StorageEnums } = require('@bnb-chain/greenfield-js-sdk');
const { ReedSolomon } = require('@bnb-chain/reed-solomon');

const { ObjectStatus, RedundancyType, VisibilityType } = StorageEnums;

/** Longer than any condition takes, even on a slow machine; ms. */
const TIME_LIMIT_MS = 90_000;

/** An account that uses the SDK as applications do. */
class User {
  /**
   * @param client the SDK's client
   * @param sp the entry of devnet.json of the provider that the user's buckets are at
   * @param account the entry of devnet.json of the user's account
   */
  constructor(client, sp, account) {
    this.client = client;
    this.sp = sp;
    this.address = account.address;
    this.privateKey = account.privateKey;
    this.auth = { type: 'ECDSA', privateKey: account.privateKey };
  }

  /** Pays for a transaction what its simulation says, and waits until it is in a block. */
  async send(tx) {
    const { gasLimit, gasPrice } = await (await tx).simulate({ denom: 'BNB' });
    const sent = await (await tx).broadcast({
      denom: 'BNB',
      gasLimit: Number(gasLimit),
      gasPrice,
      payer: this.address,
      granter: '',
      privateKey: this.privateKey,
    });
    if (sent.code !== 0) throw new Error(`transaction refused: ${sent.code} ${sent.rawLog}`);
    return sent.transactionHash;
  }

  /** @returns the name of a bucket of the user */
  async createBucket(name, visibility = VisibilityType.VISIBILITY_TYPE_PRIVATE) {
    const bucketName = `${name}-${this.address.slice(2, 10).toLowerCase()}`;
    await this.send(
      this.client.bucket.createBucket({
        bucketName,
        creator: this.address,
        visibility,
        chargedReadQuota: Long.fromString('0'),
        primarySpAddress: this.sp.operatorAddress,
        paymentAddress: this.address,
      }),
    );
    return bucketName;
  }

  /** Registers an object for this content. @returns the hash of the transaction, which the upload needs */
  async createObject(bucketName, objectName, file) {
    return this.send(
      this.client.object.createObject({
        bucketName,
        objectName,
        creator: this.address,
        visibility: VisibilityType.VISIBILITY_TYPE_INHERIT,
        contentType: file.type,
        redundancyType: RedundancyType.REDUNDANCY_EC_TYPE,
        payloadSize: Long.fromInt(file.size),
        expectChecksums: await this.checksums(file.content),
      }),
    );
  }

  /** The seven hashes of a content, with the chain's segments: an application on the main net leaves them out. */
  async checksums(content) {
    const { params } = await this.client.storage.params();
    const { redundantDataChunkNum, redundantParityChunkNum, maxSegmentSize } = params.versionedParams;
    const reedSolomon = new ReedSolomon(
      redundantDataChunkNum,
      redundantParityChunkNum,
      maxSegmentSize.toNumber(),
    );
    return reedSolomon.encode(Uint8Array.from(content)).map((text) => Buffer.from(text, 'base64'));
  }

  upload(bucketName, objectName, file, more) {
    const upload = { bucketName, objectName, body: file, duration: TIME_LIMIT_MS, ...more };
    return this.client.object.uploadObject(upload, this.auth);
  }

  /** Creates an object, uploads it and waits for its seal. @returns what the chain then says of it */
  async store(bucketName, objectName, file, more) {
    const txnHash = await this.createObject(bucketName, objectName, file);
    mustWork(await this.upload(bucketName, objectName, file, { txnHash, ...more }));
    return this.sealed(bucketName, objectName);
  }

  sealed(bucketName, objectName) {
    return until(async () => {
      const { objectInfo } = await this.client.object.headObject(bucketName, objectName);
      return objectInfo?.objectStatus === ObjectStatus.OBJECT_STATUS_SEALED && objectInfo;
    });
  }

  /** @returns the whole content */
  async get(bucketName, objectName, auth = this.auth) {
    const read = { bucketName, objectName, duration: TIME_LIMIT_MS };
    const { body } = mustWork(await this.client.object.getObject(read, auth));
    return Buffer.from(await body.arrayBuffer());
  }
}

/** A file as the SDK wants it in Node. */
function fileOf(content, type = 'application/octet-stream') {
  return { name: 'file', type, size: content.length, content };
}

/** @throws what the SDK tells as a value */
function mustWork(result) {
  if (result.code === 0) return result;
  throw new Error(`the SDK says ${result.code}, status ${result.statusCode}: ${result.message}`);
}

/** Waits for something true; what is thrown counts as not yet. */
async function until(look) {
  const giveUpAt = performance.now() + TIME_LIMIT_MS;
  for (;;) {
    const found = await look().catch((error) => {
      if (performance.now() > giveUpAt) throw error;
    });
    if (found) return found;
    if (performance.now() > giveUpAt) throw new Error('waited in vain');
    await sleep(100);
  }
}

module.exports = { fileOf, mustWork, until, User };
