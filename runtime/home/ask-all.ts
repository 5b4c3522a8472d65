import type { NatsConnection } from '@nats-io/nats-core';
import { throwIfAborted } from '#protocols/errors';
import { isNoResponders, natsError } from '../nats/errors.ts';

/** Silence after which no further answer is expected, ms. */
const SILENCE_MS = 500;

export interface AskAllOptions {
  /** How long to wait for the last answer, ms. */
  readonly timeoutMs: number;
  /** True as soon as no further answer is awaited; then the silence after the last one need not be waited for. */
  readonly isEnough?: () => boolean;
  readonly signal?: AbortSignal;
}

/**
 * The answers of all nodes that listen on a subject.
 * @param what for the error, for example `asking the nodes for their actor trees`
 * @throws Retryable `nats-unavailable`; Cancelled
 */
export async function* askAll(
  connection: NatsConnection,
  subject: string,
  what: string,
  { timeoutMs, isEnough = () => false, signal }: AskAllOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  throwIfAborted(signal);
  try {
    const options = { strategy: 'stall', stall: SILENCE_MS, maxWait: timeoutMs } as const;
    for await (const answer of await connection.requestMany(subject, '', options)) {
      throwIfAborted(signal);
      yield answer.data;
      if (isEnough()) return;
    }
  } catch (error) {
    if (!isNoResponders(error)) throw natsError(error, what);
  }
}
