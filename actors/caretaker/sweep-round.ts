import type { PieceStore } from '#runtime/pieces/piece-store';
import type { Logger } from '#runtime/telemetry/logger';
import type { Round } from './round.ts';

/** Chunks younger than this may belong to a piece that is still being written, ms. */
const ORPHAN_AGE_MS = 3_600_000;
/** Chunks purged in one round. */
const SWEEP_LIMIT = 10_000;

export interface SweepRoundOptions {
  readonly pieces: PieceStore;
  readonly timing: { readonly sweepEveryMs: number };
}

/** Purges chunks left without a piece by a crash. */
export function sweepRound({ pieces, timing }: SweepRoundOptions, log: Logger): Round {
  return {
    doing: 'sweeping orphan chunks',
    everyMs: timing.sweepEveryMs,
    async run(signal) {
      const swept = await pieces.sweep({ olderThanMs: ORPHAN_AGE_MS, limit: SWEEP_LIMIT, signal });
      if (swept.unclaimed > 0) log.warn(swept, 'kept chunks that do not name their piece');
      return swept.purged === 0 ? undefined : `purged ${swept.purged} orphan chunks`;
    },
  };
}
