import { LRUCache } from 'lru-cache';
import type { Wire } from '#protocols/approval/wire';
import { toSealionError } from '#protocols/errors';
import type { ApprovalAnswer } from './peers.ts';

/**
 * What is exchanged with another SP: columns sent and received, and pieces for repairs, which we fetch or which it
 * fetches from us.
 */
export const EXCHANGES = ['columnsOut', 'columnsIn', 'fetched', 'served'] as const;
export type Exchange = (typeof EXCHANGES)[number];

export interface ExchangeCounts {
  done: number;
  /** By code; see `MAX_REASONS`. */
  readonly failed: Record<string, number>;
  bytes: number;
}

/** What this node knows of another SP since it was started. */
export interface PeerCount extends Readonly<Record<Exchange, ExchangeCounts>> {
  readonly spId: number;
  /** On which it answered last, and when (unix ms), and how long that took (ms). */
  readonly wire?: Wire;
  readonly answeredAt?: number;
  readonly lagMs?: number;
  /** Answers to our asks; silent: how often it was asked and gave none in time. */
  readonly approvals: {
    readonly given: number;
    readonly refused: Readonly<Record<string, number>>;
    readonly silent: number;
  };
  readonly lastError?: { readonly code: string; readonly message: string; readonly at: number };
}

/** The counts of an SP, those of each wire apart. */
export interface CountedPeer {
  readonly approvals: { given: number; readonly refused: Record<string, number>; silent: number };
  readonly exchanges: ReadonlyMap<`${Exchange}/${Wire}`, ExchangeCounts>;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

interface Known extends CountedPeer {
  readonly exchanges: Map<`${Exchange}/${Wire}`, ExchangeCounts>;
  readonly last: Writable<Pick<PeerCount, 'wire' | 'answeredAt' | 'lagMs' | 'lastError'>>;
}

/** With these we refuse in the name of an SP that has said nothing. */
const UNREACHABLE: ReadonlySet<string> = new Set(['peer-unreachable', 'private-endpoint']);
const MAX_PEERS = 1_000;
/** Different reasons that are kept apart for an SP, which chooses its codes itself; further ones are `other`. */
const MAX_REASONS = 50;
const MAX_MESSAGE = 500;

/** Counts what this node exchanges with each other SP, in bounded memory; the one place where that is counted. */
export class PeerCounts {
  readonly #peers = new LRUCache<number, Known>({ max: MAX_PEERS });

  /** By the id of the SP. */
  report(): readonly PeerCount[] {
    return Array.from(this, ([spId, peer]) => ({
      spId,
      ...(peer as Known).last,
      approvals: peer.approvals,
      ...(Object.fromEntries(EXCHANGES.map((what) => [what, overBothWires(peer, what)])) as Record<
        Exchange,
        ExchangeCounts
      >),
    }));
  }

  /** By the id of the SP. */
  *[Symbol.iterator](): IterableIterator<readonly [spId: number, peer: CountedPeer]> {
    yield* [...this.#peers.entries()].sort(([a], [b]) => a - b);
  }

  answered({ spId, granted, refused, message }: ApprovalAnswer, lagMs: number): void {
    const { approvals, last } = this.#of(spId);
    const [refusal] = refused;
    if (granted.length === 0 && refusal && message === '' && UNREACHABLE.has(refusal.code)) {
      this.silent(spId);
      last.lastError = errorOf(refusal.code, refusal.reason);
      return;
    }
    last.wire = message === '' ? 'http' : 'nats';
    last.answeredAt = Date.now();
    last.lagMs = Math.round(lagMs);
    if (granted.length > 0) approvals.given += 1;
    for (const { code, reason } of refused) {
      count(approvals.refused, code);
      last.lastError = errorOf(code, reason);
    }
  }

  /** The SP was asked, and has not answered in time. */
  silent(spId: number): void {
    this.#of(spId).approvals.silent += 1;
  }

  done(what: Exchange, spId: number, wire: Wire): void {
    this.#exchange(what, spId, wire).done += 1;
  }

  bytes(what: Exchange, spId: number, wire: Wire, bytes: number): void {
    this.#exchange(what, spId, wire).bytes += bytes;
  }

  /** What was cancelled has not failed. */
  failed(what: Exchange, spId: number, wire: Wire, thrown: unknown): void {
    const { kind, code, message } = toSealionError(thrown);
    if (kind !== 'cancelled') this.refused(what, spId, wire, { code, reason: message });
  }

  refused(
    what: Exchange,
    spId: number,
    wire: Wire,
    { code, reason }: { readonly code: string; readonly reason: string },
  ): void {
    count(this.#exchange(what, spId, wire).failed, code);
    this.#of(spId).last.lastError = errorOf(code, reason);
  }

  #exchange(what: Exchange, spId: number, wire: Wire): ExchangeCounts {
    const { exchanges } = this.#of(spId);
    const key = `${what}/${wire}` as const;
    const known = exchanges.get(key);
    if (known) return known;
    const counts = none();
    exchanges.set(key, counts);
    return counts;
  }

  #of(spId: number): Known {
    const known = this.#peers.get(spId);
    if (known) return known;
    const peer: Known = { approvals: { given: 0, refused: {}, silent: 0 }, exchanges: new Map(), last: {} };
    this.#peers.set(spId, peer);
    return peer;
  }
}

function none(): ExchangeCounts {
  return { done: 0, failed: {}, bytes: 0 };
}

function overBothWires({ exchanges }: CountedPeer, what: Exchange): ExchangeCounts {
  const all = none();
  for (const wire of ['nats', 'http'] as const) {
    const { done, failed, bytes } = exchanges.get(`${what}/${wire}`) ?? none();
    all.done += done;
    all.bytes += bytes;
    for (const [code, times] of Object.entries(failed)) all.failed[code] = (all.failed[code] ?? 0) + times;
  }
  return all;
}

function errorOf(code: string, message: string): NonNullable<PeerCount['lastError']> {
  return { code, message: message.slice(0, MAX_MESSAGE), at: Date.now() };
}

function count(reasons: Record<string, number>, code: string): void {
  const key = code in reasons || Object.keys(reasons).length < MAX_REASONS ? code : 'other';
  reasons[key] = (reasons[key] ?? 0) + 1;
}
