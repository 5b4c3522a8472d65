import { Cancelled, Retryable } from '#protocols/errors';

/**
 * Runs a task with a signal that fires when one of `signals` does or the time is over, and removes its listeners from
 * all of them when the task ends. `AbortSignal.any` would do the first half, but the combination with a signal that
 * lives as long as the process is never freed (seen on Node 20).
 */
export async function withDeadline<T>(
  timeoutMs: number,
  signals: readonly (AbortSignal | undefined)[],
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const expire = () =>
    deadline.abort(
      new Retryable({ code: 'timeout', message: `There was no answer within ${timeoutMs} ms.` }),
    );
  const abort = () =>
    deadline.abort(new Cancelled({ code: 'aborted', message: 'The operation was aborted.' }));
  const timer = setTimeout(expire, timeoutMs);
  for (const signal of signals) {
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
  }
  try {
    return await task(deadline.signal);
  } finally {
    clearTimeout(timer);
    for (const signal of signals) signal?.removeEventListener('abort', abort);
  }
}
