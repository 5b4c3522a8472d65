import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Msg, type NatsConnection, nanos } from '@nats-io/nats-core';
import { Retryable, Terminal } from '#protocols/errors';
import { orAborted } from '../async/or-aborted.ts';
import { natsError } from '../nats/errors.ts';
import { connectionBack } from '../nats/reconnects.ts';
import type { Logger } from '../telemetry/logger.ts';

const LONGEST_PULL_MS = 10_000;
/** How much later than the end of a pull the server's word on it may come. */
const GRACE_MS = 5_000;
const PAUSE_MS = 1_000;
/** Gives a message back, to be delivered again at once. */
export const NAK = '-NAK';
/** Status of a pull that ended without a message (NATS architecture decision record 13). */
const NOTHING = 408;

/** A message that is delivered and un-acked. */
export interface Pulled {
  readonly subject: string;
  /** What was published. */
  readonly body: string;
  /** Where acknowledgements go. */
  readonly ackSubject: string;
  /** From 1. */
  readonly delivery: number;
  /** On the monotonic clock: when the pull began that brought the message. */
  readonly since: number;
}

export interface PullSource {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly consumer: string;
  readonly ackWaitMs: number;
  readonly log: Logger;
  /** Makes the consumer where there is none. */
  prepare(): Promise<void>;
  /** Fires when it must be prepared again; absent before the first pull, and after one that failed. */
  prepared?: AbortSignal | undefined;
}

/**
 * Waits for one message of a pull consumer, over lost connections and silences of the server.
 * @returns undefined when the signal fired
 * @throws Terminal what only an operator can help
 */
export async function pullOne(source: PullSource, signal: AbortSignal): Promise<Pulled | undefined> {
  while (!signal.aborted) {
    try {
      // After a loss again: a server that recovers may take a pull for a consumer that it does not serve yet.
      if (!source.prepared || source.prepared.aborted) {
        const back = connectionBack(source.connection);
        await orAborted(source.prepare(), signal);
        source.prepared = back;
      }
      if (signal.aborted) return undefined;
      const pulled = await requestOne(source, signal);
      if (pulled) return pulled;
    } catch (thrown) {
      if (signal.aborted) return undefined;
      const error = natsError(thrown, `pulling from ${source.stream}`);
      if (error instanceof Terminal) throw error;
      source.log.warn({ error, stream: source.stream }, 'the work queue does not answer; trying again');
      source.prepared = undefined;
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return undefined;
}

/**
 * One pull request, given up when the connection comes back from a loss: a restarted server knows nothing of it. The
 * library's `fetch` hides the subject to which a renewal must go to be confirmed, and loses a message that arrives
 * while it is being stopped; here that one goes back at once.
 */
async function requestOne(source: PullSource, signal: AbortSignal): Promise<Pulled | undefined> {
  const { connection, stream, consumer, ackWaitMs } = source;
  const expires = Math.floor(Math.min(LONGEST_PULL_MS, ackWaitMs / 3));
  const since = performance.now();
  const back = connectionBack(connection);
  const answer = connection
    .request(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
      JSON.stringify({ batch: 1, expires: nanos(expires) }),
      // a subscription of its own: the message comes under the subject of the work, not of the request
      { timeout: expires + GRACE_MS, noMux: true },
    )
    .then((message) => pulledFrom(message, since));
  const settled = new AbortController();
  const fired = (what: AbortSignal) =>
    once(what, 'abort', { signal: settled.signal }).then(
      () => undefined,
      () => undefined,
    );
  try {
    const pulled = await Promise.race([answer, fired(signal), fired(back)]);
    if (signal.aborted || (back.aborted && !pulled)) {
      void giveBack(answer, source);
      return undefined;
    }
    // A message that lay in our own buffers for so long may already be another's.
    return pulled && performance.now() - since < ackWaitMs ? pulled : undefined;
  } finally {
    settled.abort();
  }
}

function pulledFrom(message: Msg, since: number): Pulled | undefined {
  const { subject, reply, headers } = message;
  if (!reply) {
    if (headers?.code === NOTHING) return undefined;
    throw new Retryable({
      code: 'nats-unavailable',
      message: `The pull was refused: ${headers?.code} ${headers?.description}.`,
    });
  }
  // $JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivery>.<stream seq>.<consumer seq>.<time>.<pending>
  const tokens = reply.split('.');
  const delivery = Number(tokens[tokens.length === 9 ? 4 : 6]);
  return { subject, body: message.string(), ackSubject: reply, delivery, since };
}

/** Of a pull that nobody waits for any more. */
async function giveBack(answer: Promise<Pulled | undefined>, source: PullSource): Promise<void> {
  const pulled = await answer.catch(() => undefined);
  const { connection, ackWaitMs } = source;
  if (!pulled || connection.isClosed() || performance.now() - pulled.since >= ackWaitMs) return;
  try {
    connection.publish(pulled.ackSubject, NAK);
  } catch (error) {
    source.log.debug(
      { error, stream: source.stream },
      'could not return a message to the work queue; it is redelivered after ack_wait',
    );
  }
}
