import type { Hex } from '#protocols/greenfield/types';

/** The holder of a key: an account, as a user of one application. */
export interface KeyHolder {
  /** In EIP-55 case. */
  readonly account: string;
  /** The application, as browsers name it in Origin: `https://app.example.com`. */
  readonly domain: string;
}

/**
 * An ed25519 key that signs requests on behalf of an account for a limited time
 * (protocols/greenfield/README.md#off-chain-keys).
 */
export interface OffChainKey extends KeyHolder {
  /** 32 bytes. */
  readonly publicKey: Hex;
  /** Unix ms. */
  readonly registeredAt: number;
  readonly expiresAt: number;
}

/**
 * The keys that users have registered. Requests are authenticated with them. Unlike the rest of the SQL DB, they are
 * not a projection and exist nowhere else. A power cut may lose the last changes.
 * @throws Retryable `records-unavailable`, all methods
 */
export interface OffChainKeys {
  /**
   * Stores a key; a known one gets the new expiry. Removes keys expired by its `registeredAt`, the oldest key of a
   * holder or account above its limit, and, when there is no room, the oldest key of the account with the most
   * keys, so that nobody loses keys to accounts with many.
   */
  register(key: OffChainKey): Promise<void>;
  /** Expired keys are included until they are removed. */
  find(holder: KeyHolder, publicKey: Hex): Promise<OffChainKey | undefined>;
  /** Oldest first; expired keys are included until they are removed. */
  list(holder: KeyHolder): Promise<readonly OffChainKey[]>;
  /** Unknown keys are ignored. */
  remove(holder: KeyHolder, publicKeys: readonly Hex[]): Promise<void>;
}
