/** How often the event loop is probed, ms. */
const PROBE_MS = 20;

export interface LoopSample {
  /** Mean delay of an event that arrives at a random moment, ms; 0 when the loop is idle. */
  readonly lateMs: number;
  /** The longest time for which the loop was blocked, ms. */
  readonly worstMs: number;
}

/**
 * Measures how late the event loop of this process is, one sample per `everyMs`, until it is stopped. Time in which the
 * process was ready to run but others had the processor counts as delay. This uses a timer, since the histogram of
 * `monitorEventLoopDelay` costs more to read than the rest of this function.
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
      // An event at a random moment is more likely to fall into a long round than into a short one.
      lateMs: Math.max(0, rounds.squares / rounds.time - PROBE_MS),
      worstMs: Math.max(0, rounds.longest - PROBE_MS),
    });
    rounds = { time: 0, squares: 0, longest: 0 };
  }, PROBE_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
