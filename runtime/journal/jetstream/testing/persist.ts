import { Retryable } from '#protocols/errors';

/** Repeats work for as long as it fails for now: an election or the restart of a server takes its time. */
export async function persist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Retryable)) throw error;
    }
  }
}
