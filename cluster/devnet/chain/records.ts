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

/** A bucket's own number for a global virtual group that holds objects of it. */
export interface LocalVirtualGroup {
  readonly id: number;
  readonly gvgId: number;
  /** Bytes. */
  readonly storedSize: number;
  /** Bytes that are paid for: small objects count as `minChargeSize`. */
  readonly chargedSize: number;
}

/** What an account pays per second and has paid in advance; in the smallest unit of BNB. */
export interface StreamRecord {
  readonly account: string;
  /** Unix seconds at which the balances held. */
  readonly crudTimestamp: number;
  /** Negative where the account pays. */
  readonly netflowRate: bigint;
  readonly frozenNetflowRate: bigint;
  readonly staticBalance: bigint;
  readonly bufferBalance: bigint;
  /** For content that is announced and not sealed. */
  readonly lockBalance: bigint;
  readonly status: 'ACTIVE' | 'FROZEN';
  /** Unix seconds; 0 where nothing flows. */
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
  /** Upper-case hex; changes with every block and stands for no state root. */
  readonly hash: string;
}
