import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '#protocols/errors';
import { Allowance } from './allowance.ts';
import { type LoopSample, watchEventLoop } from './event-loop.ts';

/** A gauge for operators. */
export interface LoadReport {
  /** How late the event loop is to what turns up at a random moment, and the longest it was so lately; ms. */
  readonly eventLoop: { readonly lateMs: number; readonly worstMs: number };
  /** Requests of clients that are in progress. */
  readonly requests: number;
  /** Jobs that are being worked on, and how many may be, as things stand. */
  readonly jobs: { readonly inWork: number; readonly allowed: number };
}

const SAMPLE_MS = 100;
const IDLE: LoopSample = { lateMs: 0, worstMs: 0 };
/** How often whoever waits looks again; ms. */
const POLL_MS = 20;
/** Whoever sends one request after the other counts as waiting in between; ms. */
const BETWEEN_REQUESTS_MS = 1_000;

/**
 * Clients first: what happens in the background takes what they leave over of the event loop, and the work queue is
 * where the rest waits. It never stands still altogether (`Allowance`).
 */
export class Background {
  readonly #allowance: Allowance;
  /** There while there is something to decide: watching costs a hundredth of a processor. */
  #watch: { stop(): void } | undefined;
  #sample = IDLE;
  #requests = 0;
  #lastRequest = Number.NEGATIVE_INFINITY;
  #inWork = 0;
  #lastStart = Number.NEGATIVE_INFINITY;

  /** @param limit jobs at once when there is nothing else to do */
  constructor(limit: number) {
    this.#allowance = new Allowance(limit);
  }

  get report(): LoadReport {
    const { lateMs, worstMs } = this.#sample;
    return {
      eventLoop: { lateMs: Math.round(lateMs), worstMs: Math.round(worstMs) },
      requests: this.#requests,
      jobs: { inWork: this.#inWork, allowed: this.#allowance.places },
    };
  }

  close(): void {
    this.#watch?.stop();
    this.#watch = undefined;
    this.#sample = IDLE;
  }

  /** A client waits for an answer. @returns to be called once when it has it */
  request(): () => void {
    this.#requests += 1;
    this.#watchLoop();
    return once(() => {
      this.#requests -= 1;
      this.#lastRequest = performance.now();
    });
  }

  /**
   * Waits until another job may be started.
   * @param onWait told why, as long as it waits
   * @throws Cancelled
   */
  async room(signal: AbortSignal, onWait: (why: string) => void = () => undefined): Promise<void> {
    while (!this.#allowance.mayStart(this.#inWork, performance.now() - this.#lastStart)) {
      onWait(this.#why());
      await pause(signal);
    }
  }

  /**
   * Waits while clients do and the event loop is late, but no longer than its patience: before a step of work that has
   * begun and must not stand still.
   * @throws Cancelled
   */
  async turn(patienceMs: number, signal: AbortSignal): Promise<void> {
    const until = performance.now() + patienceMs;
    while (this.#allowance.clientsFirst && performance.now() < until) await pause(signal);
  }

  /** Work on a job begins. @returns to be called when it ends, or has nothing left to do but to wait */
  job(): () => void {
    this.#inWork += 1;
    this.#watchLoop();
    this.#lastStart = performance.now();
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
      this.#allowance.observe({ lateMs: this.#sample.lateMs, clients }, this.#inWork);
    });
  }

  #clientsWait(): boolean {
    return this.#requests > 0 || performance.now() - this.#lastRequest < BETWEEN_REQUESTS_MS;
  }

  #why(): string {
    if (!this.#allowance.clientsFirst) return 'a place among the jobs in work';
    return `clients, who come first (event loop ${Math.round(this.#allowance.load.lateMs)} ms late)`;
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
