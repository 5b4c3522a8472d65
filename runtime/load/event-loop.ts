import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How often the event loop is probed, ms. */
const RESOLUTION_MS = 20;

export interface LoopSample {
  /** How late the event loop comes to what turns up at a random moment, ms; 0 where it has nothing else to do. */
  readonly lateMs: number;
  /** The longest time for which it came to nothing, ms. */
  readonly worstMs: number;
}

/**
 * Measures how late the event loop of this process is, sample by sample, until it is stopped. Time counts in which the
 * process was ready to run and other processes had the processor.
 */
export function watchEventLoop(everyMs: number, onSample: (sample: LoopSample) => void): { stop(): void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const timer = setInterval(() => {
    const { mean, stddev, max } = histogram;
    histogram.reset();
    // Nothing was counted: the loop has not come round since the last sample, and this one says nothing.
    if (!(mean > 0)) return;
    onSample({ lateMs: lateness(mean, stddev), worstMs: max / 1e6 - RESOLUTION_MS });
  }, everyMs);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

/**
 * What comes at a random moment falls into a long round of the loop more often than into a short one: rounds weigh as
 * much as they last.
 */
function lateness(mean: number, deviation: number): number {
  return Math.max(0, (mean ** 2 + deviation ** 2) / mean / 1e6 - RESOLUTION_MS);
}
