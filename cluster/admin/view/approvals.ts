import { type Unwilling, unwillingIn } from '#protocols/approval/unwilling';
import type { JobContext } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import type { TreeNode } from '#runtime/actors/types';
import type { ApprovalView } from './job-view.ts';

/**
 * What the members of groups have answered: the approvals of the chosen group, or, while there is none, who refused or
 * did not answer. An ask in progress is read from its object actor, one that has failed from the journal.
 */
export function approvalsOf(
  { allocation }: JobContext,
  events: readonly JobEvent[],
  actors: readonly TreeNode[],
): readonly ApprovalView[] {
  const last = events.findLast(({ type }) => type === 'AllocationStarted' || type === 'AllocationCompleted');
  if (last?.type === 'AllocationCompleted') return allocation?.approvals.map(approved) ?? [];
  const now = actors.flatMap(({ activity }) =>
    activity ? unwillingIn(activity.doing).map((one) => refusal(one, activity.since)) : [],
  );
  if (now.length > 0) return now;
  const failed = events.findLast((event) => event.type === 'AllocationFailed');
  return failed ? unwillingIn(failed.failure.message).map((one) => refusal(one, failed.at)) : [];
}

function approved({
  spId,
  redundancyIndex,
  expiresAt,
}: NonNullable<JobContext['allocation']>['approvals'][number]): ApprovalView {
  return { spId, redundancyIndex, approved: true, expiresAt };
}

function refusal({ spId, gvgId, reason }: Unwilling, at: number): ApprovalView {
  const isSilent = reason === undefined;
  return {
    spId,
    gvgId,
    approved: false,
    reason: reason ?? 'did not answer',
    ...(isSilent && { silent: true }),
    at,
  };
}
