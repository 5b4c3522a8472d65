import { PageRequest } from '@bnb-chain/greenfield-cosmos-types/cosmos/base/query/v1beta1/pagination.js';
import { Effect } from '@bnb-chain/greenfield-cosmos-types/greenfield/permission/common.js';
import type { QueryHeadObjectResponse } from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/query.js';
import { Long } from '@bnb-chain/greenfield-cosmos-types/helpers.js';
import { Terminal } from '#protocols/errors';
import type { Simulation } from '#protocols/greenfield/simulation';
import type {
  Account,
  ActionType,
  BucketInfo,
  GlobalVirtualGroup,
  GlobalVirtualGroupFamily,
  ObjectOnChain,
  StorageParams,
  StorageProvider,
} from '#protocols/greenfield/types';
import { Cache } from '../async/cache.ts';
import { type Logger, silentLogger } from '../telemetry/logger.ts';
import type { BroadcastResult, Chain, ChainOptions, IncludedTransaction, LatestBlock } from './chain.ts';
import * as decode from './decode.ts';
import * as methods from './methods.ts';
import { ask, unavailable, withClient } from './query.ts';
import { Rpc } from './rpc.ts';
import { broadcast, includedTransaction, simulate } from './transactions.ts';

export interface ConnectOptions {
  /** CometBFT RPC of one node or of several of the same chain, `http://` or `https://`. */
  readonly rpc: string | readonly string[];
  /** For example `greenfield_1017-1`. */
  readonly chainId: string;
  /** Bound of one request to one node, ms. */
  readonly timeoutMs?: number;
  readonly log?: Logger;
}

/**
 * A client of a Greenfield chain. Connects with the first request, so a node that is down now does no harm.
 * @throws Terminal `bad-chain-rpc` for a URL that is none
 */
export async function connectChain(options: ConnectOptions): Promise<Chain> {
  const urls = typeof options.rpc === 'string' ? [options.rpc] : options.rpc;
  if (urls.length === 0 || !urls.every(isHttpUrl)) {
    throw new Terminal({
      code: 'bad-chain-rpc',
      message: `"${urls.join(', ')}" is not a valid address of a chain node.`,
      advice: 'Set chain.rpc to an address such as http://host:26657.',
    });
  }
  const log = options.log ?? silentLogger;
  return new ChainClient(options.chainId, new Rpc({ urls, timeoutMs: options.timeoutMs ?? 10_000, log }));
}

/** Pages of storage providers, 100 each: a bound against a node that never ends its list. */
const MAX_PAGES = 50;
/** How often an object is read again when its update ended between two queries. */
const MAX_READS = 3;
/** For answers that change rarely and may be this old, ms. */
const CACHE_TTL_MS = 10_000;
/** Gas changes by governance, and a transaction that has too little is refused at no cost; ms. */
const GAS_TTL_MS = 60_000;

class ChainClient implements Chain {
  readonly chainId: string;
  readonly #rpc: Rpc;
  readonly #storageProviders: Cache<'all', readonly StorageProvider[]>;
  readonly #storageParams: Cache<number, StorageParams>;
  readonly #stakingPerByte: Cache<'current', bigint>;
  readonly #messageGas: Cache<string, number | undefined>;

  constructor(chainId: string, rpc: Rpc) {
    this.chainId = chainId;
    this.#rpc = rpc;
    const bounds = { ttlMs: CACHE_TTL_MS, maxEntries: 256 };
    this.#storageProviders = new Cache({ ...bounds, load: () => this.#loadStorageProviders() });
    this.#storageParams = new Cache({ ...bounds, load: (at) => this.#loadStorageParams(at) });
    this.#stakingPerByte = new Cache({ ...bounds, load: () => this.#loadStakingPerByte() });
    this.#messageGas = new Cache({
      ...bounds,
      ttlMs: GAS_TTL_MS,
      load: (typeUrl) => this.#loadMessageGas(typeUrl),
    });
  }

  async latestBlock(options?: ChainOptions): Promise<LatestBlock> {
    const status = await withClient(this.#rpc, options?.signal, (client) => client.status());
    const network = status.nodeInfo.network;
    if (network !== this.chainId) {
      throw new Terminal({
        code: 'wrong-chain',
        message: `The node belongs to the chain ${network}, not to ${this.chainId}.`,
        advice: 'Correct chain.chainId or chain.rpc.',
      });
    }
    const { latestBlockHeight, latestBlockTime } = status.syncInfo;
    return { height: latestBlockHeight, time: latestBlockTime.getTime() };
  }

  storageParams(at = 0, options?: ChainOptions): Promise<StorageParams> {
    return this.#storageParams.get(at, options?.signal);
  }

  async bucket(name: string, options?: ChainOptions): Promise<BucketInfo | undefined> {
    const answer = await ask(this.#rpc, methods.HeadBucket, { bucketName: name }, options?.signal);
    return answer?.bucketInfo && decode.toBucket(answer.bucketInfo);
  }

  object(bucketName: string, objectName: string, options?: ChainOptions): Promise<ObjectOnChain | undefined> {
    const { signal } = options ?? {};
    return this.#object(() => ask(this.#rpc, methods.HeadObject, { bucketName, objectName }, signal), signal);
  }

  objectById(objectId: string, options?: ChainOptions): Promise<ObjectOnChain | undefined> {
    const { signal } = options ?? {};
    return this.#object(() => ask(this.#rpc, methods.HeadObjectById, { objectId }, signal), signal);
  }

  storageProviders(options?: ChainOptions): Promise<readonly StorageProvider[]> {
    return this.#storageProviders.get('all', options?.signal);
  }

  async family(familyId: number, options?: ChainOptions): Promise<GlobalVirtualGroupFamily | undefined> {
    const answer = await ask(this.#rpc, methods.Family, { familyId }, options?.signal);
    return answer?.globalVirtualGroupFamily && decode.toFamily(answer.globalVirtualGroupFamily);
  }

  async gvg(gvgId: number, options?: ChainOptions): Promise<GlobalVirtualGroup | undefined> {
    const answer = await ask(this.#rpc, methods.Gvg, { globalVirtualGroupId: gvgId }, options?.signal);
    return answer?.globalVirtualGroup && decode.toGvg(answer.globalVirtualGroup);
  }

  async gvgsOfFamily(familyId: number, options?: ChainOptions): Promise<readonly GlobalVirtualGroup[]> {
    const request = { globalVirtualGroupFamilyId: familyId };
    const answer = await ask(this.#rpc, methods.GvgsOfFamily, request, options?.signal);
    return answer?.globalVirtualGroups.map(decode.toGvg) ?? [];
  }

  async freeCapacity(gvg: GlobalVirtualGroup, options?: ChainOptions): Promise<number> {
    const price = await this.#stakingPerByte.get('current', options?.signal);
    const free = gvg.totalDeposit / price - BigInt(gvg.storedSize);
    return Math.max(0, Math.min(Number(free), Number.MAX_SAFE_INTEGER));
  }

  async isAllowed(
    account: string,
    bucketName: string,
    objectName: string,
    action: ActionType,
    options?: ChainOptions,
  ): Promise<boolean> {
    const request = { operator: account, bucketName, objectName, actionType: action };
    const answer = await ask(this.#rpc, methods.VerifyPermission, request, options?.signal);
    return answer?.effect === Effect.EFFECT_ALLOW;
  }

  async account(address: string, options?: ChainOptions): Promise<Account | undefined> {
    const answer = await ask(this.#rpc, methods.Account, { address }, options?.signal);
    return answer?.account && decode.toAccount(answer.account);
  }

  simulate(transaction: Uint8Array, options?: ChainOptions): Promise<Simulation> {
    return simulate(this.#rpc, transaction, options?.signal);
  }

  messageGas(
    typeUrl: string,
    options?: ChainOptions & { readonly fresh?: boolean },
  ): Promise<number | undefined> {
    if (options?.fresh) this.#messageGas.forget(typeUrl);
    return this.#messageGas.get(typeUrl, options?.signal);
  }

  broadcast(transaction: Uint8Array, options?: ChainOptions): Promise<BroadcastResult> {
    return broadcast(this.#rpc, transaction, options?.signal);
  }

  transaction(hash: string, options?: ChainOptions): Promise<IncludedTransaction | undefined> {
    return includedTransaction(this.#rpc, hash, options?.signal);
  }

  close(): void {
    this.#rpc.close();
  }

  async #object(
    head: () => Promise<QueryHeadObjectResponse | undefined>,
    signal: AbortSignal | undefined,
  ): Promise<ObjectOnChain | undefined> {
    for (let read = 0; read < MAX_READS; read += 1) {
      const answer = await head();
      if (!answer?.objectInfo) return undefined;
      const object = decode.toObject(answer.objectInfo);
      const gvg = answer.globalVirtualGroup && decode.toGvg(answer.globalVirtualGroup);
      const known = gvg ? { object, gvg } : { object };
      if (!object.isUpdating) return known;

      const { bucketName, objectName } = object;
      const shadow = await ask(this.#rpc, methods.HeadShadowObject, { bucketName, objectName }, signal);
      if (shadow?.objectInfo) return { ...known, update: decode.toPendingUpdate(shadow.objectInfo) };
    }
    throw unavailable('an object that is being updated has no pending content');
  }

  async #loadStorageProviders(): Promise<readonly StorageProvider[]> {
    const found: StorageProvider[] = [];
    let key: Uint8Array = new Uint8Array();
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const pagination = PageRequest.fromPartial({ key, limit: Long.fromNumber(100) });
      const answer = await ask(this.#rpc, methods.StorageProviders, { pagination });
      found.push(...(answer?.sps ?? []).map(decode.toStorageProvider));
      key = answer?.pagination?.nextKey ?? new Uint8Array();
      if (key.length === 0) return found;
    }
    throw unavailable('the list of storage providers does not end');
  }

  async #loadStorageParams(at: number): Promise<StorageParams> {
    const request = { timestamp: Long.fromNumber(at) };
    const answer = await ask(this.#rpc, methods.ParamsByTimestamp, request);
    return decode.toStorageParams(decode.required(answer?.params, 'storage parameters'));
  }

  async #loadMessageGas(typeUrl: string): Promise<number | undefined> {
    const answer = await ask(this.#rpc, methods.MsgGasParams, { msgTypeUrls: [typeUrl] });
    const gas = answer?.msgGasParams.find(({ msgTypeUrl }) => msgTypeUrl === typeUrl)?.fixedType?.fixedGas;
    return gas && Number(gas);
  }

  async #loadStakingPerByte(): Promise<bigint> {
    const answer = await ask(this.#rpc, methods.VirtualGroupParams, {});
    return BigInt(decode.required(answer?.params, 'virtual group parameters').gvgStakingPerBytes);
  }
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}
