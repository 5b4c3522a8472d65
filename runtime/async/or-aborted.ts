import { throwIfAborted } from '#protocols/errors';

/**
 * Waits for a result unless one of the signals fires first; then nobody waits for it any more, however it ends.
 * @throws the signal's reason in our taxonomy, or what the promise throws
 */
export async function orAborted<T>(
  result: Promise<T>,
  ...signals: readonly (AbortSignal | undefined)[]
): Promise<T> {
  const stops: (() => void)[] = [];
  const aborted = new Promise<never>((_, reject) => {
    for (const signal of signals) {
      const stop = () => {
        try {
          throwIfAborted(signal);
        } catch (reason) {
          reject(reason);
        }
      };
      stop();
      signal?.addEventListener('abort', stop, { once: true });
      stops.push(() => signal?.removeEventListener('abort', stop));
    }
  });
  try {
    return await Promise.race([aborted, result]);
  } finally {
    for (const stop of stops) stop();
  }
}
