import { setMaxListeners } from 'node:events';
import type { Msg } from '@nats-io/nats-core';
import { MAX_FETCH_BYTES } from '#protocols/control/bodies';
import { Retryable, Terminal, throwIfAborted, toSealionError } from '#protocols/errors';
import { toHex } from '#protocols/greenfield/hex';
import type { Hex } from '#protocols/greenfield/types';
import { natsError } from '../../nats/errors.ts';
import type { ColumnRequest, PeerHost, PeerOptions, PieceRequest, PieceSource } from '../peers.ts';
import { checkReply, answer as reply } from './answer.ts';
import type { PeerContext } from './context.ts';
import { type FetchedRange, fetchRange } from './fetch-range.ts';
import { FETCH_WINDOW, FETCHES_AT_ONCE, FETCHES_PER_ASKER, HEADER_ROOM } from './limits.ts';
import { writeRefusal } from './recovery-wire.ts';
import { ReplayGuard } from './replays.ts';
import { lastToken, recoveryRequests } from './subjects.ts';
import { tracesOf } from './trace-headers.ts';

/** Nonces kept per requester: more than the fetches answered during the validity of one. */
const FETCHES_REMEMBERED = 10_000;
const CHECKSUM_BYTES = 32;

type Answer = Parameters<PeerHost['serveRecovery']>[0];

/**
 * Fetches stored pieces between SPs over NATS. Every range of a piece is a separate signed request, answered by one
 * message of plain bytes; so neither side keeps state between two requests, and the nodes of one SP share the work.
 */
export class Recovery implements PieceSource {
  readonly #context: PeerContext;
  readonly #heard = new ReplayGuard(FETCHES_REMEMBERED);
  /** Fetches being answered, by requester. */
  readonly #running = new Map<number, number>();
  #runningInAll = 0;

  constructor(context: PeerContext) {
    this.#context = context;
    context.sizes.watchBound({
      what: 'served_ranges',
      unit: 'items',
      limit: () => FETCHES_AT_ONCE,
      used: () => this.#runningInAll,
    });
  }

  async fetchPiece(request: PieceRequest, options: PeerOptions = {}): Promise<Uint8Array> {
    return this.#fetch(request, request.length, request.segmentIndex, options.signal);
  }

  async fetchChecksums(
    request: ColumnRequest & { readonly segmentCount: number },
    options: PeerOptions = {},
  ): Promise<readonly Hex[]> {
    const { segmentCount } = request;
    const bytes = await this.#fetch(request, segmentCount * CHECKSUM_BYTES, undefined, options.signal);
    return Array.from({ length: segmentCount }, (_, i) =>
      toHex(bytes.subarray(i * CHECKSUM_BYTES, (i + 1) * CHECKSUM_BYTES)),
    );
  }

  /** Fetches a window of ranges; the first failure ends the others. */
  async #fetch(
    request: ColumnRequest,
    length: number,
    segmentIndex: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    throwIfAborted(this.#context.closed);
    throwIfAborted(signal);
    const bytes = new Uint8Array(length);
    const step = this.#maxAnswer();
    const over = new AbortController();
    const stop = () => over.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    let next = 0;
    const pull = async () => {
      while (next < length) {
        const offset = next;
        next += step;
        const range: FetchedRange = {
          ...(segmentIndex !== undefined && { segmentIndex }),
          offset,
          length: Math.min(step, length - offset),
        };
        bytes.set(await fetchRange(this.#context, request, range, over.signal), offset);
      }
    };
    try {
      await Promise.all(Array.from({ length: FETCH_WINDOW }, pull));
      return bytes;
    } catch (error) {
      over.abort(error);
      throwIfAborted(signal);
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Answers until the signal fires, then waits for answers in progress. */
  async serve(answer: Answer, signal: AbortSignal): Promise<void> {
    const { connection, spId, closed } = this.#context;
    if (signal.aborted || closed.aborted) return;
    const over = new AbortController();
    // every answer in progress may listen
    setMaxListeners(0, over.signal);
    const requests = connection.subscribe(recoveryRequests(spId), { queue: `recovery-of-${spId}` });
    const stop = () => {
      requests.unsubscribe();
      over.abort(signal.reason ?? closed.reason);
    };
    for (const source of [signal, closed]) source.addEventListener('abort', stop, { once: true });
    const running = new Set<Promise<void>>();
    try {
      for await (const message of requests) {
        const answering = this.#answer(message, answer, over.signal).finally(() => running.delete(answering));
        running.add(answering);
      }
    } catch (error) {
      throw natsError(error, 'subscribing to fetches');
    } finally {
      for (const source of [signal, closed]) source.removeEventListener('abort', stop);
      await Promise.all(running);
    }
  }

  async #answer(message: Msg, answer: Answer, signal: AbortSignal): Promise<void> {
    const { codec, senderLimits } = this.#context;
    // the server does not let an SP publish under the name of another
    const from = Number(lastToken(message.subject));
    if (!senderLimits.allows(from)) return;
    try {
      checkReply(message, from);
    } catch (error) {
      senderLimits.rejected(from, error, REFUSED);
      return;
    }
    try {
      const bytes = await this.#inTurn(from, async () => {
        const control = await codec.open(message.data, { kinds: ['fetch'], from });
        const { job, gvgId, redundancyIndex, nonce, body } = control;
        if (!this.#heard.admit(from, nonce, control.expiresAt, Date.now()))
          throw refused('fetch-repeated', 'The fetch is a repetition, or its sender asks too often.');
        if (body.length > this.#maxAnswer())
          throw refused('fetch-too-long', `An answer can have at most ${this.#maxAnswer()} bytes.`);
        const [trace] = tracesOf(message.headers);
        const asked = { from, job, gvgId, redundancyIndex, ...body, ...(trace !== undefined && { trace }) };
        const bytes = await answer(asked, signal);
        if (bytes.length === body.length) return bytes;
        throw refused('wrong-range', 'The range goes beyond the end.');
      });
      reply(message, from, bytes);
    } catch (thrown) {
      const error = toSealionError(thrown);
      if (error.code !== BUSY) senderLimits.rejected(from, error, REFUSED);
      reply(message, from, ...writeRefusal(error));
    }
  }

  /** Takes a slot for a fetch. @throws Retryable `too-many-fetches` when all are taken */
  async #inTurn<T>(from: number, work: () => Promise<T>): Promise<T> {
    const own = this.#running.get(from) ?? 0;
    if (own >= FETCHES_PER_ASKER || this.#runningInAll >= FETCHES_AT_ONCE) {
      throw new Retryable({ code: BUSY, message: 'Too many fetches are being answered; try again.' });
    }
    this.#running.set(from, own + 1);
    this.#runningInAll += 1;
    try {
      return await work();
    } finally {
      const left = (this.#running.get(from) ?? 1) - 1;
      if (left > 0) this.#running.set(from, left);
      else this.#running.delete(from);
      this.#runningInAll -= 1;
    }
  }

  #maxAnswer(): number {
    return Math.min(MAX_FETCH_BYTES, (this.#context.connection.info?.max_payload ?? 0) - HEADER_ROOM);
  }
}

const BUSY = 'too-many-fetches';
const REFUSED = 'refused a fetch of a stored piece';

function refused(code: string, message: string): Terminal {
  return new Terminal({ code, message });
}
