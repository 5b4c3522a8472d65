import { isFresh } from '#protocols/approval/choose-group';
import type { SealionError } from '#protocols/errors';
import type { FailedTry } from '#protocols/job/commands';
import type { JobContext, Receipt } from '#protocols/job/context';
import { formatJobId } from '#protocols/job/identity';
import { secondaryCount } from '#protocols/job/rules';
import type { Ended, Outcome } from '#runtime/actors/types';
import { encoder } from '../replicate/encoder.ts';
import { OWN_SEGMENT, replicator } from '../replicate/replicator.ts';
import { damagedSegment } from './recovery-check.ts';
import {
  logFailure,
  type Next,
  nextTryAt,
  pipe,
  type Replication,
  record,
  replicatorName,
  type Work,
} from './work.ts';

/** Failed tries with one group before another is asked. */
const TRIES_WITH_A_GROUP = 3;
/** Longest delay of a timer, ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Starts one replicator for each column without a receipt, all at once, and the encoder that serves them. */
export async function replicate(work: Work): Promise<Next> {
  const { ctx, log, ports } = work;
  const context = log.context;
  const missing = missingColumns(context);
  if (missing.length === 0) {
    await record(work, { type: 'CompleteReplication' });
    return 'advance';
  }
  const approvals = context.allocation?.approvals ?? [];
  if (missing.some((index) => !isFresh(approvals[index] ?? { expiresAt: 0 }, Date.now()))) {
    return failReplication(work, {
      code: 'approvals-expired',
      message: 'The approvals of the secondaries have expired.',
      resume: 'ALLOC_SECONDARY_DOING',
      nextTryAt: Date.now(),
    });
  }
  const untilDeadline = Math.max(0, context.deadlineAt - Date.now()) + 1;
  const cancelTimer = ctx.after(Math.min(untilDeadline, LONGEST_TIMER_MS), { type: 'overdue' });
  work.rounds += 1;
  const { rounds: number } = work;
  const round: Replication = { number, open: new Set(missing), lost: new Map(), cancelTimer };
  work.replication = round;
  sayColumns(work, round);
  const feed = ctx.spawn('encoder', encoder({ ...ports, context }));
  for (const redundancyIndex of missing) {
    const child = replicator({ context, redundancyIndex, ports, encoder: feed, parent: ctx.self });
    ctx.watch(ctx.spawn(replicatorName(redundancyIndex), child), (end) => ({
      type: 'replicator-ended',
      round: number,
      redundancyIndex,
      end,
    }));
  }
  return 'wait';
}

/** Records the receipt of one secondary. */
export async function completeSecondary(work: Work, receipt: Receipt): Promise<Next> {
  const round = work.replication;
  if (!round?.open.has(receipt.redundancyIndex)) return 'wait';
  await record(work, { type: 'CompleteSecondary', receipt });
  sayColumns(work, round);
  return 'wait';
}

/** A replicator has ended. Waits until all have ended; receipts of completed columns are kept. */
export async function endReplicator(
  work: Work,
  number: number,
  redundancyIndex: number,
  end: Ended,
): Promise<Next> {
  const round = work.replication;
  if (round?.number !== number) return 'wait';
  round.open.delete(redundancyIndex);
  if (end.error) round.lost.set(redundancyIndex, end.error);
  if (round.open.size > 0) {
    sayColumns(work, round);
    return 'wait';
  }
  await endRound(work, round);
  if (round.lost.size === 0) return replicate(work);

  for (const error of round.lost.values()) logFailure(work, 'replicate', error);
  const failure = failedTry(work, round.lost);
  const mayBeOurFault = [...round.lost.values()].some(({ code }) => code === OWN_SEGMENT || code === REFUSED);
  if (!mayBeOurFault) return failReplication(work, failure);
  work.ctx.say({ doing: 'checking the stored segments', waitsFor: 'the PieceStore' });
  pipe(
    work,
    (signal) => damagedSegment(work.log.context, work.ports.pieces, signal),
    (outcome) => ({ type: 'segments-checked', failure, outcome }),
  );
  return 'wait';
}

/** A secondary says that the column is not what the chain expects. */
const REFUSED = 'receipt-refused';

/** Loses the payload if our own segments are damaged; only otherwise the secondaries are at fault. */
export async function afterCheck(
  work: Work,
  failure: FailedTry,
  outcome: Outcome<string | undefined>,
): Promise<Next> {
  if (!outcome.ok) logFailure(work, 'check', outcome.error);
  else if (outcome.value !== undefined) return failPayload(work, outcome.value);
  return failReplication(work, failure);
}

/** Stops the replication, so that the object can be rejected. */
export async function endOverdue(work: Work): Promise<Next> {
  const round = work.replication;
  if (!round) return 'wait';
  await endRound(work, round);
  return 'advance';
}

/** Acknowledged bytes are lost: only a new upload helps. */
export async function failPayload(work: Work, why: string): Promise<Next> {
  await record(work, {
    type: 'LosePayload',
    failure: {
      code: 'payload-lost',
      message: `Acknowledged bytes are lost: ${why}.`,
      advice: 'Upload the object again; check the disks and the durability level of the NATS server.',
      resume: 'UPLOAD_OBJECT_DOING',
    },
  });
  work.ctx.log.error({ job: formatJobId(work.job) }, 'an acknowledged payload was lost');
  return 'advance';
}

async function endRound(work: Work, round: Replication): Promise<void> {
  delete work.replication;
  round.cancelTimer();
  const names = ['encoder', ...Array.from(round.open, replicatorName)];
  const children = names.flatMap((name) => work.ctx.child<never>(name) ?? []);
  await Promise.all(children.map((child) => work.ctx.stop(child)));
}

async function failReplication(work: Work, failure: FailedTry): Promise<Next> {
  await record(work, { type: 'FailReplication', failure });
  return 'advance';
}

/**
 * Retries with the same group, or after too many failures with another; a segment that cannot be read here is not the
 * group's fault.
 */
function failedTry(work: Work, lost: ReadonlyMap<number, SealionError>): FailedTry {
  const { allocation } = work.log.context;
  const remote = [...lost.values()].filter(({ code }) => code !== OWN_SEGMENT);
  const tries = (allocation?.failedTries ?? 0) + 1;
  const giveUp = remote.some(({ kind }) => kind === 'terminal') || tries >= TRIES_WITH_A_GROUP;
  const again = remote.length === 0 || !giveUp;
  const reasons = [...lost].map(([index, { message }]) => {
    const spId = allocation?.secondarySpIds[index] ?? '?';
    return `Column ${index} to sp ${spId}: ${message}`;
  });
  const [first] = lost.values();
  return {
    code: first?.code ?? 'replication-failed',
    message: reasons.join(' '),
    advice: 'The job is retried automatically; check the storage providers that the message names.',
    resume: again ? 'REPLICATE_OBJECT_DOING' : 'ALLOC_SECONDARY_DOING',
    nextTryAt: nextTryAt(work, first),
    ...(!again && allocation && { excludeGvgId: allocation.gvgId }),
  };
}

function missingColumns(context: JobContext): readonly number[] {
  return Array.from({ length: secondaryCount(context) }, (_, index) => index).filter(
    (index) => !context.receipts[index],
  );
}

function sayColumns({ ctx, log }: Work, { open }: Replication): void {
  const { allocation, receipts } = log.context;
  const waiting = [...open].filter((index) => !receipts[index]);
  const total = secondaryCount(log.context);
  ctx.say({
    doing: `replicating to group ${allocation?.gvgId}`,
    waitsFor: waiting.map((index) => `sp ${allocation?.secondarySpIds[index]}`).join(', '),
    progress: { done: Object.keys(receipts).length, total, unit: 'secondaries' },
  });
}
