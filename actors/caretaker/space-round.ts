import type { Logger } from '#runtime/telemetry/logger';
import { requireFreshChain } from './fresh-chain.ts';
import type { Round } from './round.ts';
import { type DeletionOptions, deleteNoted } from './space/deletion.ts';
import { continueSurvey, type SurveyingOptions } from './space/surveying.ts';

export interface SpaceRoundOptions extends DeletionOptions, SurveyingOptions {
  readonly timing: DeletionOptions['timing'] &
    SurveyingOptions['timing'] & {
      readonly spaceEveryMs: number;
    };
}

/**
 * Frees the space of data that is no longer needed. Each round goes through a part of the PieceStore, reads each object
 * from the chain by its id, and records a note about unneeded data. An incomplete listing does no harm. Data noted by
 * an earlier round is judged again, and deleted if nothing has changed.
 */
export function spaceRound(options: SpaceRoundOptions, log: Logger): Round {
  return {
    doing: 'looking for stored data that is no longer needed',
    everyMs: options.timing.spaceEveryMs,
    async run(signal) {
      await requireFreshChain(options.chain, options.timing.chainLagMs, signal);
      const deleted = await deleteNoted(options, log, signal);
      await continueSurvey(options, log, signal);
      return deleted === 0 ? undefined : `deleted ${deleted} payloads and columns that are no longer needed`;
    },
  };
}
