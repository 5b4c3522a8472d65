import type { Hex } from '#protocols/greenfield/types';

/** A secp256k1 key of the SP (operator, seal, approval). The key itself never leaves its adapter. */
export interface AccountKey {
  /** EIP-55. */
  readonly address: string;
  /** 33 bytes, compressed, hex. */
  readonly publicKey: Hex;
  /** Signs a 32-byte digest: 65 bytes r‖s‖v, v 0 or 1, RFC 6979. */
  sign(digest: Uint8Array): Promise<Uint8Array>;
}

/** The SP's BLS12-381 key (min-pk). */
export interface BlsKey {
  /** 48 bytes, hex. */
  readonly publicKey: Hex;
  /** Signs a 32-byte message as is: 96 bytes (protocols/sealing/README.md#what-secondaries-sign). */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** All keys that a node holds. */
export interface Keyring {
  readonly operator: AccountKey;
  readonly approval: AccountKey;
  readonly seal: AccountKey;
  readonly bls: BlsKey;
}
