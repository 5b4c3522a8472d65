import { toSealionError } from '#protocols/errors';
import type { Reply } from './types.ts';

/** Replies with the outcome of some work. Its failure goes to the requester and does not fail the actor. */
export async function captureResult<R>(reply: Reply<R>, work: Promise<R>): Promise<void> {
  try {
    reply.resolve(await work);
  } catch (thrown) {
    reply.reject(toSealionError(thrown));
  }
}
