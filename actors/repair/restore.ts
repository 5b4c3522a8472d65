import { Retryable, SealionError, Terminal, throwIfAborted } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import { checksum } from '#protocols/integrity/checksums';
import type { Ledger } from '#runtime/journal/journal';
import type { PieceStore } from '#runtime/pieces/piece-store';

/** A stored segment or piece to be written back by its owner. */
export interface Restoration {
  /** Of the PieceStore. */
  readonly key: string;
  readonly bytes: Uint8Array;
  /** The checksum that the bytes were verified against. */
  readonly checksum: Hex;
  /** What was wrong, for the log and the ledger. */
  readonly because: string;
}

const PREFIX = 'restoring/';
const TRIES = 3;

/**
 * Replaces a lost or damaged piece. The reason is durable before a damaged piece is deleted.
 * @throws Terminal `restore-unverified` for bytes that are not what they should be; as the PieceStore
 */
export async function restore(
  { key, bytes, checksum: expected, because }: Restoration,
  { ledger, pieces }: { readonly ledger: Ledger; readonly pieces: PieceStore },
  signal: AbortSignal,
): Promise<void> {
  if (checksum(bytes) !== expected) {
    throw new Terminal({
      code: 'restore-unverified',
      message: `The bytes for ${key} do not match ${expected}.`,
    });
  }
  await ledger.put(`${PREFIX}${key}`, { because, checksum: expected, at: Date.now() });
  await replace(key, bytes, pieces, signal);
  await ledger.delete(`${PREFIX}${key}`);
}

async function replace(
  key: string,
  bytes: Uint8Array,
  pieces: PieceStore,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    throwIfAborted(signal);
    try {
      await pieces.put(key, bytes, { signal });
      return;
    } catch (error) {
      // one of another checksum is ours to delete; a damaged one of the same was deleted by the put
      const exists = error instanceof SealionError && error.code === 'piece-exists';
      const removed = error instanceof Retryable && error.code === 'piece-corrupt';
      if (tries === TRIES || !(exists || removed)) throw error;
      if (exists) await pieces.delete(key, { signal });
    }
  }
}
