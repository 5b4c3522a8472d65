import type { Hex } from '../greenfield/types.ts';
import type { JobContext } from './context.ts';

/** True for a delegated upload: the chain learns the checksums of its object with the seal. */
export function isDelegated({ object }: Pick<JobContext, 'object'>): boolean {
  return object.checksums.length === 0;
}

/**
 * The seven integrity hashes that the columns of a job must have, primary first: those of the chain, or of a
 * delegated upload those that were computed from its payload. Empty before such an upload is complete.
 */
export function checksumsOf(context: Pick<JobContext, 'object' | 'payload'>): readonly Hex[] {
  return isDelegated(context) ? (context.payload?.checksums ?? []) : context.object.checksums;
}
