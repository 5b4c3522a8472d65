import type { ChosenGroup } from '#protocols/approval/choose-group';
import type { Outcome } from '#runtime/actors/types';
import { allocate } from '../replicate/allocation.ts';
import { failPhase, type Next, pipe, record, type Work } from './work.ts';

/** Asks the members of the virtual groups whether each will store a column. */
export function startAllocation(work: Work): Next {
  const { ctx, log, ports } = work;
  ctx.say({ doing: 'getting approvals', waitsFor: 'the members of the virtual groups' });
  pipe(
    work,
    (signal) => allocate(log.context, ports, { signal, onProgress: (line) => ctx.say(line) }),
    (outcome) => ({ type: 'allocated', outcome }),
  );
  return 'wait';
}

/** All members of a group have approved, or no group was approved. */
export async function endAllocation(work: Work, outcome: Outcome<ChosenGroup>): Promise<Next> {
  if (!outcome.ok) return failPhase(work, 'FailAllocation', outcome.error, 'ALLOC_SECONDARY_DOING');
  await record(work, { type: 'CompleteAllocation', ...outcome.value });
  return 'advance';
}
