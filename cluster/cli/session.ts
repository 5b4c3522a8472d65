import { Terminal } from '#protocols/errors';
import { fromHex } from '#protocols/greenfield/hex';
import { checkBucketName, checkObjectName } from '#protocols/greenfield/names';
import type { Chain, ChainLists } from '#runtime/chain/chain';
import { connectChain } from '#runtime/chain/connect';
import { accountKey } from '#runtime/keys/keyring';
import { ChainAccount } from '../client/chain-account.ts';
import { SpClient } from '../client/sp-client.ts';
import { type Network, type NetworkSp, primaryOf, spOf } from './network.ts';

/** The name of an object as people write it: `bucket/some/object`. */
export interface ObjectName {
  readonly bucketName: string;
  readonly objectName: string;
}

/** @throws Terminal `bad-bucket-name`, `bad-object-name` */
export function parseObjectName(text: string): ObjectName {
  const slash = text.indexOf('/');
  if (slash > 0 && slash < text.length - 1) {
    const name = { bucketName: text.slice(0, slash), objectName: text.slice(slash + 1) };
    checkBucketName(name.bucketName);
    checkObjectName(name.objectName);
    return name;
  }
  throw new Terminal({
    code: 'bad-object-name',
    message: `"${text}" is not the name of an object.`,
    advice: 'Write it as BUCKET/OBJECT, for example my-bucket/report.pdf.',
  });
}

/**
 * Parses the argument of `ls`: `bucket` or `bucket/prefix`.
 * @throws Terminal `bad-bucket-name`
 */
export function parseListName(text: string): { readonly bucketName: string; readonly prefix: string } {
  const [bucketName = ''] = text.split('/', 1);
  checkBucketName(bucketName);
  return { bucketName, prefix: text.slice(bucketName.length + 1) };
}

/** A client's connection to a network: the chain, an account, and the provider of a bucket. */
export class Session {
  readonly network: Network;
  readonly chain: Chain & ChainLists;
  readonly account: ChainAccount;
  readonly #privateKey: Uint8Array;

  private constructor(network: Network, chain: Chain & ChainLists, privateKey: Uint8Array) {
    this.network = network;
    this.chain = chain;
    this.#privateKey = privateKey;
    this.account = new ChainAccount(chain, accountKey(privateKey));
  }

  /** Opens with the network's first account. */
  static async open(network: Network): Promise<Session> {
    const { rpc, chainId } = network.chain;
    const privateKey = fromHex((network.accounts[0]?.privateKey ?? '').replace(/^0x/, ''));
    return new Session(network, await connectChain({ rpc, chainId }), privateKey);
  }

  sp(sp: NetworkSp): SpClient {
    return new SpClient(sp.endpoint, this.#privateKey);
  }

  /** The primary of a bucket; for a new bucket, the wanted provider or else the first one. */
  async primaryFor(bucketName: string, wanted: number | undefined, signal: AbortSignal): Promise<NetworkSp> {
    const sp = spOf(this.network, wanted);
    const bucket = await this.chain.bucket(bucketName, { signal });
    if (!bucket) return sp;
    const primary = primaryOf(this.network, bucket.familyId);
    if (wanted === undefined || wanted === primary.id) return primary;
    throw new Terminal({
      code: 'wrong-sp',
      message: `The primary of bucket ${bucketName} is storage provider ${primary.id}.`,
      advice: 'Omit --sp, or use another bucket.',
    });
  }

  close(): void {
    this.chain.close();
  }
}
