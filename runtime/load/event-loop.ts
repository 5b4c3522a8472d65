import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { processorWaitMs } from './processor-wait.ts';

/** How often the event loop is probed, ms. */
const PROBE_MS = 20;

export interface LoopSample {
  /** Mean delay of an event that arrives at a random moment, ms; 0 when the loop is idle. */
  readonly lateMs: number;
  /** The longest time for which the loop was blocked, ms. */
  readonly worstMs: number;
  /** Share of the time in which the loop had something to do, 0 to 1. */
  readonly busy: number;
  /** As `lateMs`, without the time in which other processes had the processors; absent where that is not known. */
  readonly ownLateMs?: number;
}

/** Rounds of the event loop between two samples, ms. */
class Rounds {
  time = 0;
  longest = 0;
  #squares = 0;
  #ownProducts = 0;

  /** @param own without the time for which the process waited for a processor */
  add(round: number, own: number): void {
    this.time += round;
    this.longest = Math.max(this.longest, round);
    this.#squares += round ** 2;
    this.#ownProducts += round * own;
  }

  /** An event at a random moment is more likely to fall into a long round than into a short one. */
  get lateMs(): number {
    return Math.max(0, this.#squares / this.time - PROBE_MS);
  }

  get ownLateMs(): number {
    return Math.max(0, this.#ownProducts / this.time - PROBE_MS);
  }
}

/**
 * Measures how late the event loop of this process is, one sample per `everyMs`, until it is stopped. Time in which the
 * process was ready to run but others had the processor counts as delay. This uses a timer, since the histogram of
 * `monitorEventLoopDelay` costs more to read than the rest of this function.
 */
export function watchEventLoop(everyMs: number, onSample: (sample: LoopSample) => void): { stop(): void } {
  let last = performance.now();
  let waited = processorWaitMs();
  let rounds = new Rounds();
  let used = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.now();
    const round = now - last;
    last = now;
    const waitedNow = processorWaitMs();
    rounds.add(round, Math.max(0, round - ((waitedNow ?? 0) - (waited ?? 0))));
    waited = waitedNow;
    if (rounds.time < everyMs) return;
    const usedNow: EventLoopUtilization = performance.eventLoopUtilization();
    const { utilization: busy } = performance.eventLoopUtilization(usedNow, used);
    used = usedNow;
    onSample({
      busy,
      lateMs: rounds.lateMs,
      worstMs: Math.max(0, rounds.longest - PROBE_MS),
      ...(waited !== undefined && { ownLateMs: rounds.ownLateMs }),
    });
    rounds = new Rounds();
  }, PROBE_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
