import type { JobId } from '#protocols/job/identity';
import { captureResult } from '#runtime/actors/capture-result';
import { oneShot } from '#runtime/actors/one-shot';
import type { Behaviour, Reply } from '#runtime/actors/types';
import type { Ledger } from '#runtime/journal/journal';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { ColumnId } from '../ledger/column-record.ts';
import { type Restoration, restore } from './restore.ts';

/** Asked of `objects`, the owner of the primary's segments. */
export interface RestoreSegment {
  readonly type: 'restore-segment';
  readonly job: JobId;
  readonly restoration: Restoration;
  readonly reply: Reply<void>;
}

/** Asked of `receivers`, the owner of the columns. */
export interface RestorePiece {
  readonly type: 'restore-piece';
  readonly column: ColumnId;
  readonly segmentIndex: number;
  readonly restoration: Restoration;
  readonly reply: Reply<void>;
}

export interface RestorerOptions {
  readonly message: RestoreSegment | RestorePiece;
  readonly ports: { readonly ledger: Ledger; readonly pieces: PieceStore };
  /** @throws when the piece must not be written any more */
  confirm(signal: AbortSignal): Promise<unknown>;
}

/** Writes one segment or piece back as a child of its owner, so that nobody else writes it meanwhile. */
export function restorer({ message, ports, confirm }: RestorerOptions): Behaviour<never, undefined> {
  return oneShot('restorer', async (ctx, signal) => {
    const { restoration, reply } = message;
    const { key, because } = restoration;
    ctx.say({ doing: `restoring ${key}`, waitsFor: 'the PieceStore' });
    const written = (async () => {
      await confirm(signal);
      await restore(restoration, ports, signal);
      ctx.log.warn({ key, because }, 'repaired a stored piece');
    })();
    await captureResult(reply, written);
  });
}
