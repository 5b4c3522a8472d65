import { isFresh } from '#protocols/approval/choose-group';
import type { SealionError } from '#protocols/errors';
import type { FailedTry } from '#protocols/job/commands';
import type { JobContext, Receipt } from '#protocols/job/context';
import { secondaryCount } from '#protocols/job/decide';
import { formatJobId } from '#protocols/job/identity';
import type { Ended, Outcome } from '#runtime/actors/types';
import { encoder } from '../replicate/encoder.ts';
import { OWN_SEGMENT, replicator } from '../replicate/replicator.ts';
import { advance } from './advance.ts';
import { damagedSegment } from './look.ts';
import { logFailure, nextTryAt, pipe, record, replicatorName, type Work } from './work.ts';

/** Failures with one group before another is asked. */
const TRIES_WITH_A_GROUP = 3;
/** Timers cannot wait longer; ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One round of columns on their way, from the spawn of their replicators to the end of the last. */
export interface Replication {
  /** Columns whose replicator is at work. */
  readonly open: Set<number>;
  /** Why the others failed. */
  readonly lost: Map<number, SealionError>;
  readonly cancelTimer: () => void;
}

export type ReplicationMessage =
  | {
      readonly type: 'replicator-ended';
      readonly round: Replication;
      readonly redundancyIndex: number;
      readonly end: Ended;
    }
  /** The job's deadline has come while columns are on their way. */
  | { readonly type: 'overdue' }
  /** What the look at our own segments, after columns had failed, has found amiss. */
  | {
      readonly type: 'segments-checked';
      readonly failure: FailedTry;
      readonly outcome: Outcome<string | undefined>;
    };

/** Starts one replicator for each column without a receipt, all at once, and the encoder that feeds them. */
export async function replicate(work: Work): Promise<void> {
  const { ctx, log, ports } = work;
  const context = log.context;
  const missing = missingColumns(context);
  if (missing.length === 0) {
    await record(work, { type: 'CompleteReplication' });
    return advance(work);
  }
  const approvals = context.allocation?.approvals ?? [];
  if (missing.some((index) => !isFresh(approvals[index] ?? { expiresAt: 0 }, Date.now()))) {
    return failReplication(work, {
      code: 'approvals-expired',
      message: 'The approvals of the secondaries have run out.',
      resume: 'ALLOC_SECONDARY_DOING',
      nextTryAt: Date.now(),
    });
  }
  const untilDeadline = Math.max(0, context.deadlineAt - Date.now()) + 1;
  const cancelTimer = ctx.after(Math.min(untilDeadline, LONGEST_TIMER_MS), { type: 'overdue' });
  const round: Replication = { open: new Set(missing), lost: new Map(), cancelTimer };
  work.replication = round;
  sayColumns(work, round);
  const feed = ctx.spawn('encoder', encoder({ context, pieces: ports.pieces, memory: ports.memory }));
  for (const redundancyIndex of missing) {
    const child = replicator({ context, redundancyIndex, ports, encoder: feed, parent: ctx.self });
    ctx.watch(ctx.spawn(replicatorName(redundancyIndex), child), (end) => ({
      type: 'replicator-ended',
      round,
      redundancyIndex,
      end,
    }));
  }
}

/** One SP is completed: the secondary information of the JobContext is updated once. */
export async function completeSecondary(work: Work, receipt: Receipt): Promise<void> {
  const round = work.replication;
  if (!round?.open.has(receipt.redundancyIndex)) return;
  await record(work, { type: 'CompleteSecondary', receipt });
  sayColumns(work, round);
}

/** Waits until all columns have ended, one way or the other; those that arrived stay. */
export async function endColumn(
  work: Work,
  round: Replication,
  redundancyIndex: number,
  end: Ended,
): Promise<void> {
  if (work.replication !== round) return;
  round.open.delete(redundancyIndex);
  if (end.error) round.lost.set(redundancyIndex, end.error);
  if (round.open.size > 0) return sayColumns(work, round);
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
}

/** A secondary's word that the column is not what the chain expects. */
const REFUSED = 'receipt-refused';

/** A secondary is not blamed for damage of ours. */
export async function afterCheck(
  work: Work,
  failure: FailedTry,
  outcome: Outcome<string | undefined>,
): Promise<void> {
  if (!outcome.ok) logFailure(work, 'check', outcome.error);
  else if (outcome.value !== undefined) return losePayload(work, outcome.value);
  await failReplication(work, failure);
}

/** Lets the columns go, so that the object can be rejected. */
export async function endOverdue(work: Work): Promise<void> {
  const round = work.replication;
  if (!round) return;
  await endRound(work, round);
  await advance(work);
}

export async function losePayload(work: Work, why: string): Promise<void> {
  await record(work, {
    type: 'LosePayload',
    failure: {
      code: 'payload-lost',
      message: `Acknowledged bytes are lost: ${why}.`,
      advice: 'Upload the object again; check the disks and the durability level of the NATS server.',
      resume: 'UPLOAD_OBJECT_DOING',
    },
  });
  work.ctx.log.error({ job: formatJobId(work.job) }, 'an acknowledged payload is lost');
  await advance(work);
}

async function endRound(work: Work, round: Replication): Promise<void> {
  delete work.replication;
  round.cancelTimer();
  const names = ['encoder', ...Array.from(round.open, replicatorName)];
  const children = names.flatMap((name) => work.ctx.child<never>(name) ?? []);
  await Promise.all(children.map((child) => work.ctx.stop(child)));
}

async function failReplication(work: Work, failure: FailedTry): Promise<void> {
  await record(work, { type: 'FailReplication', failure });
  await advance(work);
}

/** The same group again, or after too many failures another; what cannot be read here is no fault of the group. */
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
    advice: 'The job is tried again by itself; look at the storage providers that are named.',
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
