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
 * Frees the space of data that is no longer needed: goes through the PieceStore, a part in each round, reads each
 * object from the chain by its id, and notes what is not needed. A listing that misses something does no harm here.
 * What earlier rounds have noted is judged again, and deleted if nothing has changed.
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
