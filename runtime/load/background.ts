import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '#protocols/errors';
import { Allowance } from './allowance.ts';
import { type LoopSample, watchEventLoop } from './event-loop.ts';

/** A gauge for operators. */
export interface LoadReport {
  /**
   * The mean delay of an event that arrives at a random moment, the longest recent block of the loop, and that mean
   * without the time in which other processes had the processors; ms.
   */
  readonly eventLoop: { readonly lateMs: number; readonly worstMs: number; readonly ownLateMs?: number };
  /** Requests of clients that are in progress. */
  readonly requests: number;
  /** Jobs that are being worked on, and how many may be under the current load. */
  readonly jobs: { readonly inWork: number; readonly allowed: number };
}

const SAMPLE_MS = 100;
const IDLE: LoopSample = { lateMs: 0, worstMs: 0, busy: 0 };
/** Interval at which waiting work checks the load, ms. */
const POLL_MS = 20;
/** A client counts as waiting for this long after its last request, since the next one may follow; ms. */
const BETWEEN_REQUESTS_MS = 1_000;

/**
 * Puts clients first: background work uses the share of the event loop that requests leave, and jobs beyond that wait in
 * the work queue. Background work never stops completely (`Allowance`).
 */
export class Background {
  readonly #allowance: Allowance;
  /** Present only while there is a request or a job: watching the event loop costs about 1 % of a core. */
  #watch: { stop(): void } | undefined;
  #sample = IDLE;
  #requests = 0;
  #lastRequest = Number.NEGATIVE_INFINITY;
  #inWork = 0;
  #lastStart = Number.NEGATIVE_INFINITY;

  /** @param limit jobs that may be worked on at once when no client waits */
  constructor(limit: number) {
    this.#allowance = new Allowance(limit);
  }

  get report(): LoadReport {
    const { lateMs, worstMs, ownLateMs } = this.#sample;
    return {
      eventLoop: {
        lateMs: Math.round(lateMs),
        worstMs: Math.round(worstMs),
        ...(ownLateMs !== undefined && { ownLateMs: Math.round(ownLateMs) }),
      },
      requests: this.#requests,
      jobs: { inWork: this.#inWork, allowed: this.#allowance.allowedJobs },
    };
  }

  close(): void {
    this.#watch?.stop();
    this.#watch = undefined;
    this.#sample = IDLE;
  }

  /** A client waits for an answer. @returns a function to call when the answer is complete; only its first call counts */
  requestStarted(): () => void {
    this.#requests += 1;
    this.#watchLoop();
    return once(() => {
      this.#requests -= 1;
      this.#lastRequest = performance.now();
    });
  }

  /**
   * Waits until another job may be started.
   * @param onWait called repeatedly during the wait, with the reason
   * @throws Cancelled
   */
  async untilJobMayStart(
    signal: AbortSignal,
    onWait: (why: string) => void = () => undefined,
  ): Promise<void> {
    while (!this.#allowance.mayStart(this.#inWork, performance.now() - this.#lastStart)) {
      onWait(this.#why());
      await pause(signal);
    }
  }

  /**
   * Waits while clients wait and the event loop is late, at most `maxWaitMs`. For work that is already in progress and
   * may be slowed but not stopped.
   * @throws Cancelled
   */
  async yieldToClients(maxWaitMs: number, signal: AbortSignal): Promise<void> {
    const until = performance.now() + maxWaitMs;
    while (this.#allowance.clientsFirst && performance.now() < until) await pause(signal);
  }

  /**
   * Work on a job begins.
   * @returns a function to call when it ends or only waits for others; only its first call counts
   */
  jobStarted(): () => void {
    this.#inWork += 1;
    this.#watchLoop();
    const now = performance.now();
    this.#allowance.started(now - this.#lastStart);
    this.#lastStart = now;
    return once(() => {
      this.#inWork -= 1;
    });
  }

  #watchLoop(): void {
    this.#watch ??= watchEventLoop(SAMPLE_MS, (sample) => {
      const clients = this.#clientsWait();
      const quiet = !clients && this.#inWork === 0;
      if (quiet) this.close();
      else this.#sample = sample;
      const { lateMs, busy } = this.#sample;
      this.#allowance.observe({ lateMs, busy, clients }, this.#inWork);
    });
  }

  #clientsWait(): boolean {
    return this.#requests > 0 || performance.now() - this.#lastRequest < BETWEEN_REQUESTS_MS;
  }

  #why(): string {
    if (!this.#allowance.holdsBack) return 'other jobs in work to end';
    const { lateMs, busy } = this.#allowance.load;
    return `clients, who come first (event loop ${Math.round(lateMs)} ms late, ${Math.round(busy * 100)} % busy)`;
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  throwIfAborted(signal);
}

/** Only the first call counts. */
function once(task: () => void): () => void {
  let done = false;
  return () => {
    if (!done) task();
    done = true;
  };
}
