import type { SealionError } from '../../protocols/errors.ts';
import { backoffMs } from '../../protocols/job/backoff.ts';
import type { FailedTry } from '../../protocols/job/commands.ts';
import type { Receipt } from '../../protocols/job/context.ts';
import { secondaryCount } from '../../protocols/job/decide.ts';
import type { Ended } from '../../runtime/actors/types.ts';
import { encoder } from '../encoder.ts';
import { replicator } from '../replicator.ts';
import { advance } from './advancing.ts';
import { logFailure, type Work } from './work.ts';

/** An approval that ends sooner than this is asked for anew; ms (design §5). */
const APPROVAL_RESERVE_MS = 60_000;
/** Failures with one group before another is asked. */
const TRIES_WITH_A_GROUP = 3;
/** What a replicator reports when a segment of ours is not what was acknowledged. */
const LOST_PIECE = new Set(['piece-missing', 'piece-corrupt']);

/** Starts one replicator for each column without a receipt, all at once, and the encoder that feeds them. */
export async function replicate(work: Work): Promise<void> {
  const { ctx, log, ports } = work;
  const context = log.context;
  const open = Array.from({ length: secondaryCount(context) }, (_, index) => index).filter(
    (index) => !context.receipts[index],
  );
  if (open.length === 0) {
    await log.record({ type: 'CompleteReplication' });
    return advance(work);
  }
  const approvals = context.allocation?.approvals ?? [];
  if (approvals.some(({ expiresAt }) => expiresAt < Date.now() + APPROVAL_RESERVE_MS)) {
    return failReplication(work, {
      code: 'approvals-expired',
      message: 'The approvals of the secondaries have run out.',
      resume: 'ALLOC_SECONDARY_DOING',
      nextTryAt: Date.now(),
    });
  }
  ctx.say({
    doing: 'replicating to the secondaries',
    progress: {
      done: secondaryCount(context) - open.length,
      total: secondaryCount(context),
      unit: 'secondaries',
    },
  });
  const feed = ctx.spawn('encoder', encoder({ context, pieces: ports.pieces, memory: ports.memory }));
  for (const redundancyIndex of open) {
    const child = replicator({ context, redundancyIndex, ports, encoder: feed, parent: ctx.self });
    work.columns.add(redundancyIndex);
    ctx.watch(ctx.spawn(`replicator/${redundancyIndex}`, child), (end) => ({
      type: 'replicator-ended',
      redundancyIndex,
      end,
    }));
  }
}

/** One SP is completed: the secondary information of the JobContext is updated once. */
export async function completeSecondary(work: Work, receipt: Receipt): Promise<void> {
  const context = await work.log.record({ type: 'CompleteSecondary', receipt });
  work.ctx.say({
    doing: 'replicating to the secondaries',
    progress: {
      done: Object.keys(context.receipts).length,
      total: secondaryCount(context),
      unit: 'secondaries',
    },
  });
}

/** Waits until all columns have ended, one way or the other; those that arrived stay. */
export async function endColumn(work: Work, redundancyIndex: number, end: Ended): Promise<void> {
  work.columns.delete(redundancyIndex);
  if (end.how === 'failed') work.lostColumns.set(redundancyIndex, end);
  if (work.columns.size > 0) return;
  const encoding = work.ctx.child<never>('encoder');
  if (encoding) await work.ctx.stop(encoding);
  const lost = new Map(work.lostColumns);
  work.lostColumns.clear();
  if (lost.size === 0) return replicate(work);

  const errors = [...lost.values()].flatMap(({ error }) => (error ? [error] : []));
  const missing = errors.find(({ code }) => LOST_PIECE.has(code));
  if (missing) return losePayload(work, missing.message);
  await failReplication(work, failedTry(work, lost, errors));
}

export async function losePayload(work: Work, message: string): Promise<void> {
  await work.log.record({
    type: 'LosePayload',
    failure: {
      code: 'payload-lost',
      message: `Acknowledged bytes are missing: ${message}`,
      advice: 'Upload the object again; check the disks and the durability level of the NATS server.',
      resume: 'UPLOAD_OBJECT_DOING',
    },
  });
  work.ctx.log.error({ job: work.job }, 'an acknowledged payload is lost');
  await advance(work);
}

async function failReplication(work: Work, failure: FailedTry): Promise<void> {
  await work.log.record({ type: 'FailReplication', failure });
  await advance(work);
}

function failedTry(work: Work, lost: ReadonlyMap<number, Ended>, errors: readonly SealionError[]): FailedTry {
  const { allocation, failedTries } = work.log.context;
  const tries = failedTries + 1;
  const again = tries < TRIES_WITH_A_GROUP && errors.every(({ kind }) => kind !== 'terminal');
  const reasons = [...lost].map(([index, { error }]) => {
    const spId = allocation?.secondarySpIds[index] ?? '?';
    return `column ${index} to sp ${spId}: ${error?.message ?? 'no reason'}`;
  });
  for (const error of errors) logFailure(work, 'replicate', error);
  return {
    code: errors[0]?.code ?? 'replication-failed',
    message: reasons.join(' '),
    advice: 'The job is tried again by itself; look at the storage providers that are named.',
    resume: again ? 'REPLICATE_OBJECT_DOING' : 'ALLOC_SECONDARY_DOING',
    nextTryAt: Date.now() + backoffMs(tries, Math.random()),
    ...(again || !allocation ? {} : { excludeGvgId: allocation.gvgId }),
  };
}
