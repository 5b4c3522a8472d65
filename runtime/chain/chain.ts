import type { ChainRefusal, Simulation } from '#protocols/greenfield/simulation';
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

export interface ChainOptions {
  readonly signal?: AbortSignal;
}

/**
 * How old an answer may be: asked for `now`; of the newest `block` that is known, and a second at most; a few `seconds`.
 * Which question may be answered by what is a table (runtime/chain/README.md#how-old-an-answer-may-be).
 */
export type Age = 'now' | 'block' | 'seconds';

export interface AgeOptions extends ChainOptions {
  /** `now` by default. */
  readonly age?: Age;
}

export interface LatestBlock {
  readonly height: number;
  /** Unix ms of the block; its distance to now is the chain's lag. */
  readonly time: number;
}

/** What the chain answered to a broadcast. `code` 0: in the mempool, not yet in a block. */
export interface BroadcastResult extends ChainRefusal {
  readonly hash: string;
}

/** A transaction that is in a block. */
export interface IncludedTransaction extends ChainRefusal {
  readonly hash: string;
  readonly height: number;
  /** Type URL and raw bytes of each message response (TxMsgData). */
  readonly responses: readonly { readonly typeUrl: string; readonly value: Uint8Array }[];
}

/**
 * A Greenfield node, by its CometBFT RPC (protocols/greenfield/README.md#accounts). Queries answer undefined where the chain says
 * that there is no such thing.
 * @throws Retryable `chain-unavailable` when no node answers; Terminal `chain-refused` with the chain's code.
 */
export interface Chain {
  /** For example `greenfield_9000-1741`. */
  readonly chainId: string;
  /** @throws Terminal `wrong-chain` when the node belongs to another chain */
  latestBlock(options?: AgeOptions): Promise<LatestBlock>;
  /** Parameters that held at a time in unix seconds; the current ones without it. */
  storageParams(at?: number, options?: ChainOptions): Promise<StorageParams>;
  bucket(name: string, options?: AgeOptions): Promise<BucketInfo | undefined>;
  object(bucketName: string, objectName: string, options?: ChainOptions): Promise<ObjectOnChain | undefined>;
  objectById(objectId: string, options?: AgeOptions): Promise<ObjectOnChain | undefined>;
  storageProviders(options?: ChainOptions): Promise<readonly StorageProvider[]>;
  /** All families of all storage providers; the answer may be 10 s old. */
  families(options?: ChainOptions): Promise<readonly GlobalVirtualGroupFamily[]>;
  family(familyId: number, options?: AgeOptions): Promise<GlobalVirtualGroupFamily | undefined>;
  gvg(gvgId: number, options?: AgeOptions): Promise<GlobalVirtualGroup | undefined>;
  gvgsOfFamily(familyId: number, options?: AgeOptions): Promise<readonly GlobalVirtualGroup[]>;
  /** Bytes that the group's stake still allows (protocols/sealing/README.md#what-the-chain-checks, 8). */
  freeCapacity(gvg: GlobalVirtualGroup, options?: ChainOptions): Promise<number>;
  /** False also where there is no such bucket or object. An empty account stands for anybody. */
  isAllowed(
    account: string,
    bucketName: string,
    objectName: string,
    action: ActionType,
    options?: AgeOptions,
  ): Promise<boolean>;
  account(address: string, options?: ChainOptions): Promise<Account | undefined>;
  /**
   * Tries a transaction out on the node's latest state, the waiting transactions of its account included. Costs
   * nothing. The signature is not looked at, nor is the gas limit; the sequence is.
   */
  simulate(transaction: Uint8Array, options?: ChainOptions): Promise<Simulation>;
  /**
   * The gas that the chain charges for a message; undefined where it has no fixed gas for the type. The answer may be
   * a minute old unless it is to be fresh.
   */
  messageGas(
    typeUrl: string,
    options?: ChainOptions & { readonly fresh?: boolean },
  ): Promise<number | undefined>;
  /**
   * Hands TxRaw bytes to the node (broadcast_tx_sync). A refusal is an answer, not a throw. Bytes that the node
   * has already, waiting or in a recent block, count as taken: code 0.
   */
  broadcast(transaction: Uint8Array, options?: ChainOptions): Promise<BroadcastResult>;
  /** Undefined while the transaction is in no block, and always where the node keeps no index of transactions. */
  transaction(hash: string, options?: AgeOptions): Promise<IncludedTransaction | undefined>;
  close(): void;
}

/** Lists of what is on chain, page by page: as many pages are asked for as are taken. Clients need them, providers not. */
export interface ChainLists {
  /** All buckets of the chain, the newest first. @throws as `Chain` */
  buckets(options?: ChainOptions): AsyncIterable<readonly BucketInfo[]>;
  /** The objects of a bucket, in no order that means anything; none where there is no such bucket. @throws as `Chain` */
  objects(bucketName: string, options?: ChainOptions): AsyncIterable<readonly ObjectInfo[]>;
}
