import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Collects the items that arrive within `waitMs` (ms) after a first one into a batch of at most `limit` items; both may
 * be changed between batches. Leaving the loop early does not end the source: use its own signal for that.
 */
export async function* batches<T>(
  source: AsyncIterable<T>,
  pace: { readonly limit: number; readonly waitMs: number },
): AsyncGenerator<readonly T[]> {
  const iterator = source[Symbol.asyncIterator]();
  let next = pull(iterator);
  for (;;) {
    const first = await next;
    if (first.done) return;
    const batch = [first.value];
    const timer = new AbortController();
    const { limit, waitMs } = pace;
    const late = sleep(waitMs, undefined, { signal: timer.signal }).catch(() => undefined);
    try {
      next = pull(iterator);
      while (batch.length < limit) {
        const result = await Promise.race([next, late]);
        if (!result || result.done) break;
        batch.push(result.value);
        next = pull(iterator);
      }
    } finally {
      timer.abort();
    }
    yield batch;
  }
}

/** The next item. Its failure is reported when it is awaited, which may be a batch later. */
function pull<T>(iterator: AsyncIterator<T>): Promise<IteratorResult<T, unknown>> {
  const next = iterator.next();
  next.catch(() => undefined);
  return next;
}
