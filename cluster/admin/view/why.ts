import type { JobContext } from '#protocols/job/context';
import { isFromUploadDone, isTerminal, type JobStateName } from '#protocols/job/states';
import { planPayload } from '#protocols/payload/plan';
import type { OwnerAnswer } from '#runtime/home/home';
import type { ColumnView } from './job-view.ts';

/** What is known of a job besides its context. */
export interface WhyFacts {
  readonly context: JobContext;
  /** Who works on it; absent when nobody answers. */
  readonly owner?: Pick<OwnerAnswer, 'node' | 'since'>;
  readonly columns: readonly Pick<ColumnView, 'spId' | 'state' | 'activity'>[];
  /** Of its object actor. */
  readonly activity?: ColumnView['activity'];
  /** Unix ms. */
  readonly now: number;
}

export interface Why {
  /** One plain sentence: why the object is not sealed, or how the job ended. */
  readonly why: string;
  /** What an operator can do. */
  readonly advice?: string;
}

/** Why an object is not sealed: who is awaited, since when, when it is tried again. */
export function whyNotSealed(facts: WhyFacts): Why {
  const { context, now } = facts;
  const { state, deadlineAt } = context;
  if (state === 'SEAL_OBJECT_DONE') return { why: `It is sealed, since ${time(context.changedAt)}.` };
  if (state === 'OBJECT_DISCONTINUED') {
    return { why: `It will not be sealed: ${ended(context.discontinuedBecause ?? 'the chain says so')}` };
  }
  if (isFromUploadDone(state) && !isTerminal(state) && now >= deadlineAt) return overdue(context);
  if (context.failure) return failed(facts, context.failure);
  return inProgress(facts);
}

function overdue({ deadlineAt, reject, rejectFailure }: JobContext): Why {
  const since = `It was not sealed by its deadline, ${time(deadlineAt)}, and is to be rejected on chain`;
  if (rejectFailure) {
    return { why: `${since}, which failed: ${ended(rejectFailure.message)}`, ...adviceOf(rejectFailure) };
  }
  return { why: reject ? `${since}: the reject is signed and waits for its block.` : `${since} next.` };
}

const PHASES: Readonly<Partial<Record<JobStateName, string>>> = {
  ALLOC_SECONDARY_ERROR: 'No group of secondaries could be found',
  REPLICATE_OBJECT_ERROR: 'The secondaries could not be given their columns',
  SIGN_OBJECT_ERROR: 'The seal could not be signed',
  SEAL_OBJECT_ERROR: 'The seal was not accepted by the chain',
};

function failed(
  { context, now }: WhyFacts,
  { message, advice, attempt, nextTryAt }: NonNullable<JobContext['failure']>,
): Why {
  const { state, deadlineAt } = context;
  if (state === 'UPLOAD_OBJECT_ERROR') {
    const until =
      now < deadlineAt
        ? `the client can upload it until ${time(deadlineAt)}`
        : 'its time for the upload is over';
    return {
      why: `Its payload is not stored, and ${until}: ${ended(message)}`,
      advice: advice ?? 'The client has to upload the object again.',
    };
  }
  const phase = PHASES[state] ?? 'The last step failed';
  const times = attempt > 1 ? `, ${attempt} times in a row` : '';
  const next =
    nextTryAt === undefined || nextTryAt <= now
      ? 'it is tried again now'
      : `it is tried again at ${time(nextTryAt)}`;
  return { why: `${phase}${times}, and ${next}: ${ended(message)}`, ...(advice !== undefined && { advice }) };
}

function inProgress(facts: WhyFacts): Why {
  const { context, owner } = facts;
  const since = time(context.changedAt);
  switch (context.state) {
    case 'INIT_UNSPECIFIED':
      return { why: `Its payload has not come; the client can upload it until ${time(context.deadlineAt)}.` };
    case 'UPLOAD_OBJECT_DOING':
      return uploading(facts);
    default:
      if (!owner) return unowned(since);
  }
  switch (context.state) {
    case 'ALLOC_SECONDARY_DOING':
      return allocating(facts);
    case 'REPLICATE_OBJECT_DOING':
      return replicating(facts);
    case 'SIGN_OBJECT_DOING':
      return { why: `It waits for the signature of its seal since ${since}.` };
    case 'SEAL_OBJECT_DOING':
      return {
        why: `Its seal was sent to the chain at ${since} and waits for its block.`,
        advice: 'If that takes longer than a few blocks, see whether the chain lags.',
      };
    default:
      return { why: `${owner?.node} is about to begin its next step, since ${since}.` };
  }
}

/** Members of groups have been asked for room; those that refuse are named while others are still awaited. */
function allocating({ context, activity }: WhyFacts): Why {
  const begin = `Other storage providers have been asked for room since ${time(context.changedAt)}`;
  const { doing, waitsFor } = activity ?? {};
  const answers = doing?.startsWith('approvals: ') ? `: ${doing.slice('approvals: '.length)}` : '';
  return { why: `${begin}${answers}${waitsFor === undefined ? '' : `, awaited: ${waitsFor}`}.` };
}

/** Nobody works on it, although it is due. */
function unowned(since: string): Why {
  return {
    why: `It waits in the work queue since ${since}: no node works on it at the moment.`,
    advice: 'See that a node with the role "task" runs, is not draining and is not overloaded.',
  };
}

function uploading({ context, owner }: WhyFacts): Why {
  const { storedSegments, object, deadlineAt, changedAt } = context;
  const until = `the client has until ${time(deadlineAt)}`;
  if (storedSegments) {
    const stored = Object.keys(storedSegments).length;
    const { segmentCount } = planPayload(object);
    return { why: `Its payload comes in parts, ${stored} of ${segmentCount} segments so far; ${until}.` };
  }
  if (owner) return { why: `Its payload is being uploaded to ${owner.node} since ${time(changedAt)}.` };
  return { why: `Its upload was interrupted and has to be repeated by the client; ${until}.` };
}

function replicating({ context, columns }: WhyFacts): Why {
  const missing = columns.filter(({ state }) => state !== 'stored');
  const stored = columns.length - missing.length;
  const begin = `${stored} of ${columns.length} secondaries have their column`;
  if (missing.length === 0) return { why: `${begin}, and the seal comes next.` };
  const slowest = [...missing].sort((a, b) => sinceOf(a) - sinceOf(b))[0] as (typeof missing)[number];
  const names = missing.map(({ spId }) => `SP ${spId}`).join(', ');
  const { activity } = slowest;
  if (!activity) return { why: `${begin}; ${names} are awaited since ${time(context.changedAt)}.` };
  const waits =
    activity.waitsFor === undefined ? activity.doing : `${activity.doing}, waits for ${activity.waitsFor}`;
  const next = activity.nextTryAt === undefined ? '' : `, next try at ${time(activity.nextTryAt)}`;
  const others = missing.length > 1 ? ` (awaited: ${names})` : '';
  return {
    why: `${begin}; SP ${slowest.spId} is awaited longest, since ${time(activity.since)}: ${waits}${next}${others}.`,
    advice: 'If it does not move, see on the page of peers whether that provider answers others.',
  };
}

function sinceOf({ activity }: WhyFacts['columns'][number]): number {
  return activity?.since ?? Number.POSITIVE_INFINITY;
}

function adviceOf({ advice }: { readonly advice?: string }): Pick<Why, 'advice'> {
  return advice === undefined ? {} : { advice };
}

/** With a full stop at its end, as a message may lack one. */
function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** For example `2026-11-27 07:36:00 UTC`. */
function time(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
