import { setTimeout as sleep } from 'node:timers/promises';
import { type Deferred, deferred, type NatsConnection } from '@nats-io/nats-core';
import { connectionBack } from './reconnects.ts';

export interface AskAgainOptions {
  /** ms, for all tries together. */
  readonly limitMs: number;
  /** When it is asked again, ms after the try before; and at once whenever the connection has been lost and is back. */
  readonly againMs: readonly number[];
  /** Failures that are no better than no answer, until the limit; by default every failure ends it. */
  readonly isNoAnswer?: (error: unknown) => boolean;
}

/**
 * Sends a request, and sends it again while there is no answer, for requests that may be repeated. nats-server 2.9
 * gives a server of its cluster that hangs its share of what goes to a queue group, for as long as it hangs.
 * @param ask sends it once, with the time that it has, ms
 * @returns the first answer
 * @throws the first failure that counts
 */
export async function askAgain<T>(
  connection: NatsConnection,
  ask: (timeoutMs: number) => Promise<T>,
  { limitMs, againMs, isNoAnswer = () => false }: AskAgainOptions,
): Promise<T> {
  const giveUpAt = performance.now() + limitMs;
  const answered: Deferred<T> = deferred();
  const settled = new AbortController();
  const left = () => Math.max(1, giveUpAt - performance.now());
  const failed = (error: unknown) => {
    if (!isNoAnswer(error) || performance.now() >= giveUpAt) answered.reject(error);
  };
  const send = () => ask(left()).then(answered.resolve, failed);
  const repeat = async () => {
    for (let again = 0; ; again += 1) {
      const signal = AbortSignal.any([settled.signal, connectionBack(connection)]);
      await sleep(Math.min(againMs[again] ?? limitMs, left()), undefined, { signal }).catch(() => undefined);
      if (settled.signal.aborted) return;
      void send();
    }
  };
  void send();
  void repeat();
  try {
    return await answered;
  } finally {
    settled.abort();
  }
}
