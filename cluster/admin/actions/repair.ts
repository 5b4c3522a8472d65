import { VERIFY, type Verification } from '#actors/repair/verification';
import { throwIfAborted } from '#protocols/errors';
import type { JobId } from '#protocols/job/identity';
import type { Calls } from '#runtime/home/calls';
import type { Following } from './action.ts';

/** How long one part of an object may take to be read and repaired, ms. */
const PART_MS = 300_000;

/**
 * Has everything that this SP stores of an object read and repaired, part by part, by whichever node answers.
 * @returns how many segments or pieces are good, repaired, lost
 */
export async function repair(
  { objectId, version }: JobId,
  calls: Pick<Calls, 'call'>,
  { signal, onProgress }: Following,
): Promise<string> {
  const counts = new Map<string, number>();
  const found = () => [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  let from: number | undefined = 0;
  while (from !== undefined) {
    throwIfAborted(signal);
    const question = { objectId, version, from, repair: true };
    const part = (await calls.call(VERIFY, question, {
      timeoutMs: PART_MS,
      ...(signal && { signal }),
    })) as Verification;
    for (const { state } of part.findings) counts.set(state, (counts.get(state) ?? 0) + 1);
    from = part.next;
    if (from !== undefined) onProgress?.(`${from} of ${part.segmentCount} segments are read: ${found()}.`);
  }
  return counts.size > 0 ? `Segments and pieces stored here: ${found()}.` : 'Nothing of it is stored here.';
}
