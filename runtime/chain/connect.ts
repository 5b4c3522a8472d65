import { Effect } from '@bnb-chain/greenfield-cosmos-types/greenfield/permission/common.js';
import { Terminal } from '#protocols/errors';
import type { Simulation } from '#protocols/greenfield/simulation';
import type {
  Account,
  ActionType,
  BucketInfo,
  GlobalVirtualGroup,
  GlobalVirtualGroupFamily,
  ObjectInfo,
  ObjectOnChain,
  StorageParams,
  StorageProvider,
} from '#protocols/greenfield/types';
import { Cache } from '../async/cache.ts';
import { Gathered } from '../async/gathered.ts';
import { type Logger, silentLogger } from '../telemetry/logger.ts';
import { noSizes, type Sizes, watchItems } from '../telemetry/sizes.ts';
import { type Answer, Answers, type AnswersOptions } from './answers.ts';
import type {
  AgeOptions,
  BroadcastResult,
  Chain,
  ChainBalances,
  ChainLists,
  ChainOptions,
  IncludedTransaction,
  LatestBlock,
} from './chain.ts';
import * as decode from './decode.ts';
import { bucketPages, objectPages } from './lists.ts';
import * as methods from './methods.ts';
import { answerTo, type QueryMethod } from './query.ts';
import {
  readFamilies,
  readMessageGas,
  readObject,
  readObjectById,
  readStakingPerByte,
  readStatus,
  readStorageParams,
  readStorageProviders,
} from './questions.ts';
import { Rpc } from './rpc.ts';

export interface ConnectOptions {
  /** CometBFT RPC of one or several nodes of the same chain, `http://` or `https://`. */
  readonly rpc: string | readonly string[];
  /** For example `greenfield_1017-1`. */
  readonly chainId: string;
  /** Time limit of one request to one node, ms. */
  readonly timeoutMs?: number;
  readonly log?: Logger;
  /** Shown the sizes of the caches. */
  readonly sizes?: Sizes;
}

/**
 * Opens a client of a Greenfield chain. It connects at the first request, so a node that is down now is not an error.
 * @throws Terminal `bad-chain-rpc` for an invalid URL
 */
export async function connectChain(options: ConnectOptions): Promise<Chain & ChainLists & ChainBalances> {
  const urls = typeof options.rpc === 'string' ? [options.rpc] : options.rpc;
  if (urls.length === 0 || !urls.every(isHttpUrl)) {
    throw new Terminal({
      code: 'bad-chain-rpc',
      message: `"${urls.join(', ')}" is not a valid address of a chain node.`,
      advice: 'Set chain.rpc to an address such as http://host:26657.',
    });
  }
  const log = options.log ?? silentLogger;
  const rpc = new Rpc({ urls, timeoutMs: options.timeoutMs ?? 10_000, log });
  return new ChainClient(options.chainId, rpc, options.sizes ?? noSizes);
}

/** What only signers and operators ask for is loaded when they do. */
const accounts = () => import('./accounts.ts');
const transactions = () => import('./transactions.ts');

/** Maximum age of answers that change rarely, ms. */
const CACHE_TTL_MS = 10_000;
/** Maximum number of cached buckets, and of objects, groups and permissions. */
const MAX_KEPT = 1_000;
/** Past parameters do not change; ms. */
const PAST_TTL_MS = 600_000;
/** Gas changes by governance, and a transaction with too little is refused at no cost; ms. */
const GAS_TTL_MS = 60_000;

class ChainClient implements Chain, ChainLists, ChainBalances {
  readonly chainId: string;
  readonly #rpc: Rpc;
  readonly #storageProviders: Cache<'all', readonly StorageProvider[]>;
  readonly #allFamilies: Cache<'all', readonly GlobalVirtualGroupFamily[]>;
  readonly #storageParams: Cache<0, StorageParams>;
  readonly #pastParams: Cache<number, StorageParams>;
  readonly #stakingPerByte: Cache<'current', bigint>;
  readonly #messageGas: Cache<string, number | undefined>;
  readonly #blocks: Answers<LatestBlock & { readonly network: string }>;
  readonly #buckets: Answers<BucketInfo | undefined>;
  readonly #objects: Answers<ObjectOnChain | undefined>;
  readonly #objectsByName = new Gathered<ObjectOnChain | undefined>();
  readonly #families: Answers<GlobalVirtualGroupFamily | undefined>;
  readonly #gvgs: Answers<GlobalVirtualGroup | undefined>;
  readonly #gvgsOfFamilies: Answers<readonly GlobalVirtualGroup[]>;
  readonly #permissions: Answers<boolean>;
  readonly #transactions: Answers<IncludedTransaction | undefined>;

  constructor(chainId: string, rpc: Rpc, sizes: Sizes) {
    this.chainId = chainId;
    this.#rpc = rpc;
    const bounds = { ttlMs: CACHE_TTL_MS, maxEntries: 256 };
    this.#storageProviders = new Cache({ ...bounds, load: () => readStorageProviders(rpc) });
    this.#allFamilies = new Cache({ ...bounds, load: () => readFamilies(rpc) });
    this.#storageParams = new Cache({ ...bounds, load: (at) => readStorageParams(rpc, at) });
    this.#pastParams = new Cache({ ...bounds, ttlMs: PAST_TTL_MS, load: (at) => readStorageParams(rpc, at) });
    this.#stakingPerByte = new Cache({ ...bounds, load: () => readStakingPerByte(rpc) });
    this.#messageGas = new Cache({
      ...bounds,
      ttlMs: GAS_TTL_MS,
      load: (typeUrl) => readMessageGas(rpc, typeUrl),
    });
    const kept = <V>(options: Pick<AnswersOptions<V>, 'keeps'> = {}): Answers<V> =>
      new Answers<V>({ known: rpc.known, maxEntries: MAX_KEPT, ...options });
    this.#blocks = kept();
    // An obstacle to an upload may be gone in the next block.
    this.#buckets = kept({
      keeps: (bucket) => bucket?.status === 'CREATED' && !bucket.delegatedAgentDisabled,
    });
    this.#permissions = kept({ keeps: (isAllowed) => isAllowed });
    this.#objects = kept();
    this.#families = kept();
    this.#transactions = kept();
    this.#gvgs = kept();
    this.#gvgsOfFamilies = kept({ keeps: (groups) => groups.length > 0 });
    this.#watchCaches(sizes);
  }

  /** Those that have one entry or a few whatever happens are left out. */
  #watchCaches(sizes: Sizes): void {
    watchItems(sizes, 'chain_buckets', this.#buckets);
    watchItems(sizes, 'chain_permissions', this.#permissions);
    watchItems(sizes, 'chain_objects', this.#objects);
    watchItems(sizes, 'chain_families', this.#families);
    watchItems(sizes, 'chain_transactions', this.#transactions);
    watchItems(sizes, 'chain_groups', this.#gvgs);
    watchItems(sizes, 'chain_groups_of_families', this.#gvgsOfFamilies);
    watchItems(sizes, 'chain_past_parameters', this.#pastParams);
  }

  async latestBlock(options?: AgeOptions): Promise<LatestBlock> {
    const load = () => readStatus(this.#rpc);
    const { network, ...block } = await this.#blocks.get('latest', load, options);
    if (network === this.chainId) return block;
    throw new Terminal({
      code: 'wrong-chain',
      message: `The node belongs to the chain ${network}, not to ${this.chainId}.`,
      advice: 'Correct chain.chainId or chain.rpc.',
    });
  }

  storageParams(at = 0, options?: ChainOptions): Promise<StorageParams> {
    const { signal } = options ?? {};
    return at === 0 ? this.#storageParams.get(at, signal) : this.#pastParams.get(at, signal);
  }

  bucket(name: string, options?: AgeOptions): Promise<BucketInfo | undefined> {
    const request = { bucketName: name };
    const load = () =>
      this.#ask(methods.HeadBucket, request, ({ bucketInfo }) => bucketInfo && decode.toBucket(bucketInfo));
    return this.#buckets.get(name, load, options);
  }

  object(bucketName: string, objectName: string, options?: ChainOptions): Promise<ObjectOnChain | undefined> {
    const load = async () => (await readObject(this.#rpc, bucketName, objectName)).value;
    // No name of a bucket has a slash.
    return this.#objectsByName.get(`${bucketName}/${objectName}`, load, options?.signal);
  }

  objectById(objectId: string, options?: AgeOptions): Promise<ObjectOnChain | undefined> {
    const load = () => readObjectById(this.#rpc, objectId);
    return this.#objects.get(objectId, load, options);
  }

  buckets(options?: ChainOptions): AsyncIterable<readonly BucketInfo[]> {
    return bucketPages(this.#rpc, options?.signal);
  }

  objects(bucketName: string, options?: ChainOptions): AsyncIterable<readonly ObjectInfo[]> {
    return objectPages(this.#rpc, bucketName, options?.signal);
  }

  storageProviders(options?: ChainOptions): Promise<readonly StorageProvider[]> {
    return this.#storageProviders.get('all', options?.signal);
  }

  families(options?: ChainOptions): Promise<readonly GlobalVirtualGroupFamily[]> {
    return this.#allFamilies.get('all', options?.signal);
  }

  family(familyId: number, options?: AgeOptions): Promise<GlobalVirtualGroupFamily | undefined> {
    const load = () =>
      this.#ask(
        methods.Family,
        { familyId },
        ({ globalVirtualGroupFamily: found }) => found && decode.toFamily(found),
      );
    return this.#families.get(`${familyId}`, load, options);
  }

  gvg(gvgId: number, options?: AgeOptions): Promise<GlobalVirtualGroup | undefined> {
    const load = () =>
      this.#ask(
        methods.Gvg,
        { globalVirtualGroupId: gvgId },
        ({ globalVirtualGroup: found }) => found && decode.toGvg(found),
      );
    return this.#gvgs.get(`${gvgId}`, load, options);
  }

  gvgsOfFamily(familyId: number, options?: AgeOptions): Promise<readonly GlobalVirtualGroup[]> {
    const request = { globalVirtualGroupFamilyId: familyId };
    const load = async () => {
      const answer = await answerTo(this.#rpc, methods.GvgsOfFamily, request);
      const groups = answer.value?.globalVirtualGroups.map(decode.toGvg) ?? [];
      for (const group of groups) this.#gvgs.learn(`${group.id}`, { ...answer, value: group });
      return { ...answer, value: groups };
    };
    return this.#gvgsOfFamilies.get(`${familyId}`, load, options);
  }

  async freeCapacity(gvg: GlobalVirtualGroup, options?: ChainOptions): Promise<number> {
    const price = await this.#stakingPerByte.get('current', options?.signal);
    const free = gvg.totalDeposit / price - BigInt(gvg.storedSize);
    return Math.max(0, Math.min(Number(free), Number.MAX_SAFE_INTEGER));
  }

  isAllowed(
    account: string,
    bucketName: string,
    objectName: string,
    action: ActionType,
    options?: AgeOptions,
  ): Promise<boolean> {
    const request = { operator: account, bucketName, objectName, actionType: action };
    const load = async () => {
      const answer = await answerTo(this.#rpc, methods.VerifyPermission, request);
      return { ...answer, value: answer.value?.effect === Effect.EFFECT_ALLOW };
    };
    // Names of buckets contain no slash.
    return this.#permissions.get(`${account}/${action}/${bucketName}/${objectName}`, load, options);
  }

  async balance(address: string, options?: ChainOptions): Promise<bigint> {
    return (await accounts()).readBalance(this.#rpc, address, options?.signal);
  }

  async account(address: string, options?: ChainOptions): Promise<Account | undefined> {
    return (await accounts()).readAccount(this.#rpc, address, options?.signal);
  }

  async simulate(transaction: Uint8Array, options?: ChainOptions): Promise<Simulation> {
    return (await transactions()).simulate(this.#rpc, transaction, options?.signal);
  }

  messageGas(
    typeUrl: string,
    options?: ChainOptions & { readonly fresh?: boolean },
  ): Promise<number | undefined> {
    if (options?.fresh) this.#messageGas.forget(typeUrl);
    return this.#messageGas.get(typeUrl, options?.signal);
  }

  async broadcast(transaction: Uint8Array, options?: ChainOptions): Promise<BroadcastResult> {
    return (await transactions()).broadcast(this.#rpc, transaction, options?.signal);
  }

  transaction(hash: string, options?: AgeOptions): Promise<IncludedTransaction | undefined> {
    const load = async () => {
      const value = await (await transactions()).includedTransaction(this.#rpc, hash);
      return { value, height: value?.height ?? 0 };
    };
    return this.#transactions.get(hash, load, options);
  }

  close(): void {
    this.#rpc.close();
  }

  async #ask<Q, A, V>(
    method: QueryMethod<Q, A>,
    request: Q,
    decoded: (message: A) => V | undefined,
  ): Promise<Answer<V | undefined>> {
    const { value, height } = await answerTo(this.#rpc, method, request);
    return { value: value && decoded(value), height };
  }
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text);
}
