import { toSealionError } from '#protocols/errors';
import type { Reply } from './types.ts';

/** Gives the outcome of some work to whoever asked for it: a failure is the asker's, not the actor's. */
export async function captureResult<R>(reply: Reply<R>, work: Promise<R>): Promise<void> {
  try {
    reply.resolve(await work);
  } catch (thrown) {
    reply.reject(toSealionError(thrown));
  }
}
