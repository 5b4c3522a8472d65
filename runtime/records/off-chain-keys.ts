import type { Hex } from '#protocols/greenfield/types';

/** For whom a key signs: an account, as the user of one application. */
export interface KeyHolder {
  /** In EIP-55 case. */
  readonly account: string;
  /** The application, as browsers name it in Origin: `https://app.example.com`. */
  readonly domain: string;
}

/** An ed25519 key that signs requests in the place of an account's own key, for a while (protocols/greenfield/README.md#off-chain-keys). */
export interface OffChainKey extends KeyHolder {
  /** 32 bytes. */
  readonly publicKey: Hex;
  /** Unix ms. */
  readonly registeredAt: number;
  readonly expiresAt: number;
}

/**
 * The keys that users registered here. Unlike the rest of the SQL DB they are no projection: they exist nowhere
 * else, and requests are judged by them. A power cut may take the last changes.
 * @throws Retryable `records-unavailable`, all methods
 */
export interface OffChainKeys {
  /**
   * Keeps a key; a known one gets the new expiry. Keys that have expired by its `registeredAt` go; of a holder or an
   * account with too many the oldest; and when there is no room, the oldest of the account that has the most, so that
   * nobody loses keys to accounts with many.
   */
  register(key: OffChainKey): Promise<void>;
  /** Expired ones too, until they are gone. */
  find(holder: KeyHolder, publicKey: Hex): Promise<OffChainKey | undefined>;
  /** Oldest first; expired ones too, until they are gone. */
  list(holder: KeyHolder): Promise<readonly OffChainKey[]>;
  /** Unknown keys do no harm. */
  remove(holder: KeyHolder, publicKeys: readonly Hex[]): Promise<void>;
}
