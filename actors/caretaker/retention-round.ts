import { isTerminal } from '#protocols/job/states';
import type { Journal } from '#runtime/journal/journal';
import type { Records } from '#runtime/records/records';
import type { Logger } from '#runtime/telemetry/logger';
import { rememberSegments } from '../ledger/segment-record.ts';
import { readHistory } from './read-history.ts';
import type { Round } from './round.ts';

export interface RetentionRoundOptions {
  readonly journal: Journal;
  readonly records: Pick<Records, 'job'>;
  readonly timing: { readonly retentionEveryMs: number; readonly retentionMs: number };
}

/**
 * Purges jobs that ended long ago from the journal, once the SQL DB has their end
 * (ARCHITECTURE.md#one-owner-for-each-object).
 */
export function retentionRound({ journal, records, timing }: RetentionRoundOptions, log: Logger): Round {
  return {
    doing: 'looking for jobs that ended long ago',
    everyMs: timing.retentionEveryMs,
    async run(signal) {
      let purged = 0;
      const endedBefore = Date.now() - timing.retentionMs;
      for await (const job of journal.endedJobs(endedBefore, { signal })) {
        const context = await readHistory(job, { journal, log, signal });
        // the remains of an interrupted purge; a job whose history is damaged is kept
        if (!context) await journal.purge(job, 0);
        if (!context || !isTerminal(context.state)) continue;
        if ((await records.job(job))?.state !== context.state) continue;
        // an older version sealed jobs without a record of their segments
        if (context.state === 'SEAL_OBJECT_DONE') await rememberSegments(context, journal.ledger);
        await journal.purge(job, context.revision);
        purged += 1;
      }
      return purged === 0 ? undefined : `removed ${purged} jobs that ended long ago from the journal`;
    },
  };
}
