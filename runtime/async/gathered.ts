import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '#protocols/errors';
import { orAborted } from './or-aborted.ts';

/** Whoever asks while a request is under way waits for its end, but no longer than this before the next is sent; ms. */
const TOGETHER_MS = 100;

interface Request<V> {
  readonly answer: Promise<V>;
  /** For all who have asked since it was sent. */
  next?: Promise<V>;
}

/**
 * Questions whose answers must not be older than they are. Many at the same time become two requests: one is under
 * way for the first, and the next, which is sent when that one ends, is for all who have asked meanwhile.
 */
export class Gathered<V> {
  readonly #requests = new Map<string, Request<V>>();

  /**
   * @param ask must be bounded in time by itself: it serves several callers, so no caller's signal ends it
   * @throws Cancelled; what `ask` throws
   */
  async get(key: string, ask: () => Promise<V>, signal?: AbortSignal): Promise<V> {
    throwIfAborted(signal);
    const request = this.#requests.get(key);
    if (!request) return orAborted(this.#send(key, ask), signal);
    request.next ??= this.#sendAfter(request, key, ask);
    return orAborted(request.next, signal);
  }

  #send(key: string, ask: () => Promise<V>): Promise<V> {
    const request: Request<V> = { answer: ask() };
    this.#requests.set(key, request);
    const end = () => {
      if (!request.next) this.#requests.delete(key);
    };
    request.answer.then(end, end);
    return request.answer;
  }

  async #sendAfter(request: Request<V>, key: string, ask: () => Promise<V>): Promise<V> {
    const ended = request.answer.catch(() => undefined);
    await Promise.race([ended, sleep(TOGETHER_MS, undefined, { ref: false })]);
    return this.#send(key, ask);
  }
}
