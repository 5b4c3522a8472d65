import type { Hex } from '#protocols/greenfield/types';

export interface AccountRecord {
  /** EIP-55. */
  readonly address: string;
  readonly accountNumber: number;
  readonly sequence: number;
  /** In the smallest unit of BNB, decimal. */
  readonly balance: string;
  /** 33 bytes; empty until the account signs for the first time. */
  readonly publicKey: Hex;
}

/** A bucket's own number for a global virtual group that stores objects of the bucket. */
export interface LocalVirtualGroup {
  readonly id: number;
  readonly gvgId: number;
  /** Bytes. */
  readonly storedSize: number;
  /** Charged bytes: small objects count as `minChargeSize`. */
  readonly chargedSize: number;
}

/** An account's payments per second and in advance, in the smallest unit of BNB. */
export interface StreamRecord {
  readonly account: string;
  /** Time of the balances, unix seconds. */
  readonly crudTimestamp: number;
  /** Negative if the account pays. */
  readonly netflowRate: bigint;
  readonly frozenNetflowRate: bigint;
  readonly staticBalance: bigint;
  readonly bufferBalance: bigint;
  /** Locked for content that is announced but not sealed. */
  readonly lockBalance: bigint;
  readonly status: 'ACTIVE' | 'FROZEN';
  /** Unix seconds; 0 if the account pays nothing. */
  readonly settleTimestamp: number;
}

/** An account without a key, from which its owner pays. */
export interface PaymentAccount {
  readonly address: string;
  readonly owner: string;
}

export interface Head {
  readonly height: number;
  /** Unix ms. */
  readonly time: number;
  /** Upper-case hex; changes with every block, but is not a state root. */
  readonly hash: string;
}
