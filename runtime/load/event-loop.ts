/** How often the event loop is probed, ms. */
const PROBE_MS = 20;

export interface LoopSample {
  /** How late the event loop comes to what turns up at a random moment, ms; 0 where it has nothing else to do. */
  readonly lateMs: number;
  /** The longest time for which it came to nothing, ms. */
  readonly worstMs: number;
}

/**
 * Measures how late the event loop of this process is, sample by sample, until it is stopped. Time counts in which the
 * process was ready to run and other processes had the processor. A timer does it, since the histogram of
 * `monitorEventLoopDelay` costs more to read than all else here.
 */
export function watchEventLoop(everyMs: number, onSample: (sample: LoopSample) => void): { stop(): void } {
  let last = performance.now();
  let rounds = { time: 0, squares: 0, longest: 0 };
  const timer = setInterval(() => {
    const now = performance.now();
    const round = now - last;
    last = now;
    const { time, squares, longest } = rounds;
    rounds = { time: time + round, squares: squares + round ** 2, longest: Math.max(longest, round) };
    if (rounds.time < everyMs) return;
    onSample({
      // What comes at a random moment falls into a long round more often than into a short one.
      lateMs: Math.max(0, rounds.squares / rounds.time - PROBE_MS),
      worstMs: Math.max(0, rounds.longest - PROBE_MS),
    });
    rounds = { time: 0, squares: 0, longest: 0 };
  }, PROBE_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
