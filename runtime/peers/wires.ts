import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { type Wire, wireOf } from '#protocols/approval/wire';
import { Cancelled, Retryable, throwIfAborted, toSealionError } from '#protocols/errors';
import { Arrivals } from '../async/arrivals.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { HttpPeerClient } from './http/client.ts';
import type {
  ApprovalAnswer,
  ApprovalAsk,
  ColumnOffer,
  PeerClient,
  PeerOptions,
  ReplicationSession,
} from './peers.ts';

export interface WiresOptions {
  /** Absent when this SP does not use the wire; one of the two is present. */
  readonly nats?: PeerClient;
  readonly http?: Pick<HttpPeerClient, 'ask' | 'open'>;
  readonly log: Logger;
}

/** After this share of the time for an ask, an SP that is silent on NATS is tried over HTTP. */
const SILENT_PART = 1 / 5;
/** The wire on which an SP answered last; forgotten after `ttl`, ms. */
const ANSWERED = { max: 1_000, ttl: 300_000 };

/**
 * How a primary reaches other SPs over the wire on which each of them answers. All are asked over NATS; those that stay
 * silent are tried over HTTP, at once if they were silent before. The approval then determines the wire: one from HTTP
 * has no message.
 */
export class PeerWires implements PeerClient {
  readonly #options: WiresOptions;
  readonly #answered = new LRUCache<number, Wire>(ANSWERED);

  constructor(options: WiresOptions) {
    this.#options = options;
  }

  async *ask(
    ask: ApprovalAsk,
    { signal, timeoutMs }: PeerOptions & { readonly timeoutMs: number },
  ): AsyncGenerator<ApprovalAnswer, void, undefined> {
    throwIfAborted(signal);
    const over = new AbortController();
    // Every HTTP request in progress adds a listener.
    setMaxListeners(0, over.signal);
    const end = () =>
      over.abort(new Cancelled({ code: 'ask-over', message: 'The time limit for answers has passed.' }));
    const timer = setTimeout(end, timeoutMs);
    signal?.addEventListener('abort', end, { once: true });
    const awaited = new Set(ask.groups.flatMap(({ secondarySpIds }) => secondarySpIds));
    const refused: ApprovalAnswer[] = [];
    const arrivals = new Arrivals<ApprovalAnswer>();
    const silence = this.#silence(timeoutMs, over.signal);
    const asking = Promise.all([
      this.#askNats(ask, { signal: over.signal, timeoutMs }, arrivals),
      ...[...awaited].map(async (spId) => {
        const answer = await this.#askHttp(ask, spId, awaited, { signal: over.signal, silence });
        if (answer && answer.granted.length > 0) arrivals.push(answer);
        else if (answer) refused.push(answer);
      }),
    ]).finally(() => arrivals.end());
    try {
      for await (const answer of arrivals) {
        if (!awaited.delete(answer.spId)) continue;
        this.#answered.set(answer.spId, wireOf(answer.message));
        yield answer;
        if (awaited.size === 0) return;
      }
      throwIfAborted(signal);
      // Only now, since an SP that cannot be reached over HTTP may just be slow on NATS.
      for (const answer of refused) {
        if (!awaited.has(answer.spId)) continue;
        this.#answered.delete(answer.spId);
        yield answer;
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      end();
      await asking;
    }
  }

  async open(
    offer: ColumnOffer,
    options: PeerOptions & { readonly column?: readonly Uint8Array[] },
  ): Promise<ReplicationSession> {
    const wire = wireOf(offer.approval);
    const client = this.#options[wire];
    if (client) return client.open(offer, options);
    throw new Retryable({
      code: 'peer-unreachable',
      message: `SP ${offer.to} gave its approval over ${wire.toUpperCase()}, which this node no longer uses.`,
      advice: 'The approvals expire, and the job asks again; or add the wire to peers.wires.',
    });
  }

  async #askNats(
    ask: ApprovalAsk,
    options: { readonly signal: AbortSignal; readonly timeoutMs: number },
    arrivals: Arrivals<ApprovalAnswer>,
  ): Promise<void> {
    const { nats, log } = this.#options;
    if (!nats) return;
    try {
      for await (const answer of nats.ask(ask, options)) arrivals.push(answer);
    } catch (error) {
      if (!options.signal.aborted)
        log.warn({ error: toSealionError(error) }, 'could not ask other SPs over NATS');
    }
  }

  /** Undefined when the answer is no longer needed. */
  async #askHttp(
    ask: ApprovalAsk,
    spId: number,
    awaited: ReadonlySet<number>,
    { signal, silence }: { readonly signal: AbortSignal; readonly silence: Promise<void> },
  ): Promise<ApprovalAnswer | undefined> {
    const { nats, http, log } = this.#options;
    if (!http) return undefined;
    try {
      if (nats && this.#answered.get(spId) !== 'http') await silence;
      throwIfAborted(signal);
      return awaited.has(spId) ? await http.ask(ask, spId, signal) : undefined;
    } catch (error) {
      if (!signal.aborted) log.warn({ error: toSealionError(error) }, 'could not ask other SPs over HTTP');
      return undefined;
    }
  }

  /** Ends when who has not answered over NATS is tried over HTTP, or with the signal. */
  async #silence(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#options.http) return;
    await sleep(timeoutMs * SILENT_PART, undefined, { signal }).catch(() => undefined);
  }
}
