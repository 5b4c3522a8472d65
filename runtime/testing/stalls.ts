import type { ExecutionContext } from 'ava';

const CHECK_MS = 50;
const MAX_TRIES = 5;

/**
 * Runs assertions that hold as long as leases can be renewed, again if they failed and this process did not run for
 * `limitMs` meanwhile: the machine was stalled or suspended.
 */
export async function unlessStalled(
  t: ExecutionContext,
  limitMs: number,
  assertions: (attempt: ExecutionContext) => Promise<void>,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const stalls = watchStalls();
    const attempt = await t.try(assertions);
    const stalledMs = stalls.end();
    if (attempt.passed || stalledMs < limitMs || tries === MAX_TRIES) return attempt.commit();
    attempt.discard();
  }
}

function watchStalls(): { end(): number } {
  let [last, longest] = [performance.now(), 0];
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, CHECK_MS);
  return {
    end() {
      clearInterval(timer);
      look();
      return longest;
    },
  };
}
