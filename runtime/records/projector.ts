import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted, toSealionError } from '#protocols/errors';
import { backoffMs } from '#protocols/job/backoff';
import { replay } from '#protocols/job/evolve';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Journal, Positioned, StoredEvent } from '../journal/journal.ts';
import type { Logger } from '../telemetry/logger.ts';
import { batches } from './batches.ts';
import type { JobProjection, Records } from './records.ts';

export interface ProjectorOptions {
  readonly journal: Pick<Journal, 'id' | 'position' | 'tail' | 'read'>;
  readonly records: Pick<Records, 'follow' | 'project'>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Batches, because a job changes several times in quick succession and is then written only once. */
const BATCH = { limit: 512, waitMs: 250 };
/** Pause after a batch, in multiples of the time to write it: under load, writing takes a twentieth of all time. */
const REST = { times: 20, maxMs: 2_000 };
const BACKOFF = { minMs: 100, maxMs: 10_000 };

/**
 * Updates the SQL DB from the journal until the signal fires; then resolves. Never rejects: after a failure of either,
 * it continues from the position in the SQL DB.
 */
export async function runProjector(options: ProjectorOptions): Promise<void> {
  const { log, signal } = options;
  let failures = 0;
  while (!signal.aborted) {
    try {
      await follow(options, () => {
        if (failures > 0) log.info({}, 'the SQL DB is being updated from the journal again');
        failures = 0;
      });
    } catch (thrown) {
      if (signal.aborted) return;
      failures += 1;
      const delayMs = backoffMs(failures, Math.random(), BACKOFF);
      log.warn(
        { error: toSealionError(thrown), delayMs },
        'cannot update the SQL DB from the journal; trying again',
      );
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function follow(options: ProjectorOptions, onProgress: () => void): Promise<void> {
  const { journal, records, signal } = options;
  const round = new AbortController();
  try {
    const from = await records.follow({ id: journal.id, position: await journal.position() });
    const events = journal.tail(from, {
      signal: AbortSignal.any([signal, round.signal]),
    });
    const pace = { ...BATCH };
    for await (const batch of batches(events, pace)) {
      const begin = performance.now();
      await records.project({ jobs: await jobsOf(batch, options), position: lastOf(batch).position });
      const rest = (performance.now() - begin) * REST.times;
      pace.waitMs = Math.min(REST.maxMs, Math.max(BATCH.waitMs, rest));
      onProgress();
    }
    throwIfAborted(signal);
    throw new Retryable({
      code: 'journal-ended',
      message: 'The journal was closed while it was being read.',
    });
  } finally {
    round.abort();
  }
}

/**
 * The jobs of a batch in their *current* state in the journal: each is built from its whole history, so a batch
 * that is written twice or late does no harm.
 */
async function jobsOf(
  batch: readonly Positioned[],
  { journal, log, signal }: ProjectorOptions,
): Promise<readonly JobProjection[]> {
  const ids = new Map(batch.map(({ job }) => [formatJobId(job), job]));
  const projections = await Promise.all(
    [...ids.values()].map(async (id) => projection(id, await journal.read(id, { signal }), log)),
  );
  return projections.filter((found) => found !== undefined);
}

function projection(id: JobId, history: readonly StoredEvent[], log: Logger): JobProjection | undefined {
  try {
    const context = replay(history.map(({ event }) => event));
    return context && { context, completedAt: completionsIn(history) };
  } catch (error) {
    log.error({ error, job: formatJobId(id) }, 'could not project a job into the SQL DB; skipped it');
    return undefined;
  }
}

function completionsIn(history: readonly StoredEvent[]): Record<number, number> {
  const completedAt: Record<number, number> = {};
  for (const { event } of history) {
    if (event.type === 'SecondaryCompleted') completedAt[event.receipt.redundancyIndex] = event.at;
  }
  return completedAt;
}

function lastOf(batch: readonly Positioned[]): Positioned {
  return batch[batch.length - 1] as Positioned;
}
