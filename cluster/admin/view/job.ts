import type { JobContext } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import { formatJobId } from '#protocols/job/identity';
import { troubleOf } from '#protocols/job/trouble';
import type { TreeNode } from '#runtime/actors/types';
import type { OwnerAnswer } from '#runtime/home/home';
import { approvalsOf } from './approvals.ts';
import { movingRate, storedRate } from './column-rate.ts';
import type { ColumnView, JobView } from './job-view.ts';
import { whyNotSealed } from './why.ts';

export interface JobFacts {
  readonly context: JobContext;
  readonly events: readonly JobEvent[];
  readonly owner?: OwnerAnswer;
  readonly trees: readonly TreeNode[];
}

/** Puts together what the journal, the directory and the trees say of a job. */
export function jobViewOf({ context, events, owner, trees }: JobFacts): JobView {
  const actors = trees.flatMap((tree) => actorsOf(formatJobId(context.id), tree));
  const nextTryAt = troubleOf(context)?.nextTryAt;
  const seal = sealOf(context, events);
  const now = Date.now();
  const columns = columnsOf(context, events, actors, now);
  const owned = owner && { owner };
  const [object] = actors;
  return {
    job: formatJobId(context.id),
    ...whyNotSealed({
      context,
      columns,
      now,
      ...owned,
      ...(object?.activity && { activity: object.activity }),
    }),
    context,
    events,
    ...owned,
    actors,
    columns,
    approvals: approvalsOf(context, events, actors),
    ...(seal && { seal }),
    ...(nextTryAt !== undefined && { nextTryAt }),
  };
}

/** The object actors of a job in one tree. */
function actorsOf(job: string, { children }: TreeNode): readonly TreeNode[] {
  const objects = children.find(({ name }) => name === 'objects')?.children ?? [];
  return objects.filter(({ name }) => name === `object/${job}`);
}

function columnsOf(
  { allocation, receipts, object }: JobContext,
  events: readonly JobEvent[],
  actors: readonly TreeNode[],
  now: number,
): readonly ColumnView[] {
  const replicators = new Map(actors.flatMap(({ children }) => children.map((child) => [child.name, child])));
  return (allocation?.secondarySpIds ?? []).map((spId, redundancyIndex) => {
    const receipt = receipts[redundancyIndex];
    const { activity, lastError } = replicators.get(`replicator/${redundancyIndex}`) ?? {};
    const completedAt = receipt && completionOf(redundancyIndex, events);
    const bytesPerSecond =
      completedAt === undefined ? movingRate(object, activity, now) : storedRate(object, events, completedAt);
    return {
      redundancyIndex,
      spId,
      state: receipt ? 'stored' : activity ? 'moving' : 'waiting',
      ...(activity && { activity }),
      ...(lastError && { lastError }),
      ...(bytesPerSecond !== undefined && { bytesPerSecond }),
      ...(completedAt !== undefined && { completedAt }),
      ...(receipt && { receipt: receiptOf(receipt) }),
    };
  });
}

/** A receipt is persisted only after both of its signatures have been checked. */
function receiptOf({
  integrityHash,
  approvalSignature,
  blsSignature,
}: JobContext['receipts'][number]): NonNullable<ColumnView['receipt']> {
  return {
    integrityHash,
    ...(approvalSignature !== '' && { approvalSignature: { signature: approvalSignature, checked: true } }),
    blsSignature: { signature: blsSignature, checked: true },
  };
}

function completionOf(redundancyIndex: number, events: readonly JobEvent[]): number | undefined {
  let at: number | undefined;
  for (const event of events) {
    if (event.type === 'SecondaryCompleted' && event.receipt.redundancyIndex === redundancyIndex)
      at = event.at;
  }
  return at;
}

function sealOf({ seal, signedSeals }: JobContext, events: readonly JobEvent[]): JobView['seal'] {
  if (!seal) return undefined;
  const signed = events.findLast(
    (event) => event.type === 'SigningCompleted' && event.transaction.hash === seal.hash,
  );
  return {
    transactionHash: seal.hash,
    ...(signed && { signedAt: signed.at }),
    tries: signedSeals.length,
  };
}
