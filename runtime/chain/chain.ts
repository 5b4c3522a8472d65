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
 * How old an answer may be: queried `now`; of the newest known `block`, and at most a second old; a few `seconds` old.
 * The table in runtime/chain/README.md#how-old-an-answer-may-be says which query uses which.
 */
export type Age = 'now' | 'block' | 'seconds';

export interface AgeOptions extends ChainOptions {
  /** `now` by default. */
  readonly age?: Age;
}

export interface LatestBlock {
  readonly height: number;
  /** Time of the block, unix ms; its distance to now is the lag of the chain. */
  readonly time: number;
}

/** The chain's answer to a broadcast. `code` 0: in the mempool, not yet in a block. */
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
 * A Greenfield node, over its CometBFT RPC (protocols/greenfield/README.md#accounts). Queries return undefined when the
 * chain says that the item does not exist.
 * @throws Retryable `chain-unavailable` when no node answers; Terminal `chain-refused` with the chain's code
 */
export interface Chain {
  /** For example `greenfield_9000-1741`. */
  readonly chainId: string;
  /** @throws Terminal `wrong-chain` when the node belongs to another chain */
  latestBlock(options?: AgeOptions): Promise<LatestBlock>;
  /** Parameters that were valid at a time in unix seconds; by default the current ones. */
  storageParams(at?: number, options?: ChainOptions): Promise<StorageParams>;
  bucket(name: string, options?: AgeOptions): Promise<BucketInfo | undefined>;
  object(bucketName: string, objectName: string, options?: ChainOptions): Promise<ObjectOnChain | undefined>;
  objectById(objectId: string, options?: AgeOptions): Promise<ObjectOnChain | undefined>;
  storageProviders(options?: ChainOptions): Promise<readonly StorageProvider[]>;
  /** All families of all storage providers; up to 10 s old. */
  families(options?: ChainOptions): Promise<readonly GlobalVirtualGroupFamily[]>;
  family(familyId: number, options?: AgeOptions): Promise<GlobalVirtualGroupFamily | undefined>;
  gvg(gvgId: number, options?: AgeOptions): Promise<GlobalVirtualGroup | undefined>;
  gvgsOfFamily(familyId: number, options?: AgeOptions): Promise<readonly GlobalVirtualGroup[]>;
  /** Bytes that the group's stake still covers (protocols/sealing/README.md#what-the-chain-checks, 8). */
  freeCapacity(gvg: GlobalVirtualGroup, options?: ChainOptions): Promise<number>;
  /** Also false when the bucket or object does not exist. An empty account means anybody. */
  isAllowed(
    account: string,
    bucketName: string,
    objectName: string,
    action: ActionType,
    options?: AgeOptions,
  ): Promise<boolean>;
  account(address: string, options?: ChainOptions): Promise<Account | undefined>;
  /**
   * Simulates a transaction on the node's latest state, including the pending transactions of its account. Free of
   * charge. The sequence is checked, but neither the signature nor the gas limit.
   */
  simulate(transaction: Uint8Array, options?: ChainOptions): Promise<Simulation>;
  /**
   * The gas that the chain charges for a message; undefined when it has no fixed gas for the type. Up to a minute old,
   * unless `fresh` is set.
   */
  messageGas(
    typeUrl: string,
    options?: ChainOptions & { readonly fresh?: boolean },
  ): Promise<number | undefined>;
  /**
   * Sends TxRaw bytes to the node (broadcast_tx_sync). A refusal is an answer, not an error. Bytes that the node
   * already has, pending or in a recent block, count as accepted: code 0.
   */
  broadcast(transaction: Uint8Array, options?: ChainOptions): Promise<BroadcastResult>;
  /** Undefined while the transaction is in no block, and always when the node has no transaction index. */
  transaction(hash: string, options?: AgeOptions): Promise<IncludedTransaction | undefined>;
  close(): void;
}

/** What accounts own. For operators. */
export interface ChainBalances {
  /** In wei of BNB (10⁻¹⁸); 0 for an unknown account. @throws as `Chain` */
  balance(address: string, options?: ChainOptions): Promise<bigint>;
}

/**
 * Lists of items on chain, page by page; further pages are requested only as they are read. For clients, not for
 * providers.
 */
export interface ChainLists {
  /** All buckets of the chain, the newest first. @throws as `Chain` */
  buckets(options?: ChainOptions): AsyncIterable<readonly BucketInfo[]>;
  /** The objects of a bucket, in arbitrary order; empty when the bucket does not exist. @throws as `Chain` */
  objects(bucketName: string, options?: ChainOptions): AsyncIterable<readonly ObjectInfo[]>;
}
