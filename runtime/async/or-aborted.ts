import { throwIfAborted } from '#protocols/errors';

/**
 * Waits for a result until one of the signals fires; the result, or its error, is ignored then.
 * @throws the signal's reason in our taxonomy, or the error of the promise
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
