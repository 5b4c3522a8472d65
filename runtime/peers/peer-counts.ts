import { LRUCache } from 'lru-cache';
import type { Wire } from '#protocols/approval/wire';
import { toSealionError } from '#protocols/errors';
import type {
  ApprovalAnswer,
  InboundOffer,
  InboundPiece,
  InboundSession,
  PeerClient,
  PeerHost,
  ReplicationSession,
} from './peers.ts';

/** Columns in one direction. */
export interface ColumnCounts {
  done: number;
  /** By code; see `MAX_REASONS`. */
  readonly failed: Record<string, number>;
  bytes: number;
}

/** What this node knows of another SP since it was started. */
export interface PeerCount {
  readonly spId: number;
  /** On which it answered last, and when (unix ms), and how long that took (ms). */
  wire?: Wire;
  answeredAt?: number;
  lagMs?: number;
  readonly approvals: { given: number; readonly refused: Record<string, number> };
  readonly columnsOut: ColumnCounts;
  readonly columnsIn: ColumnCounts;
  lastError?: { readonly code: string; readonly message: string; readonly at: number };
}

const MAX_PEERS = 1_000;
/** Different reasons that are kept apart for an SP, which chooses its codes itself; further ones are `other`. */
const MAX_REASONS = 50;
const MAX_MESSAGE = 500;

/** Counts what this node exchanges with each other SP, in bounded memory. */
export class PeerCounts {
  readonly #peers = new LRUCache<number, PeerCount>({ max: MAX_PEERS });

  /** By the id of the SP. */
  report(): readonly PeerCount[] {
    return [...this.#peers.values()].sort((a, b) => a.spId - b.spId);
  }

  of(spId: number): PeerCount {
    const known = this.#peers.get(spId);
    if (known) return known;
    const columns = (): ColumnCounts => ({ done: 0, failed: {}, bytes: 0 });
    const peer: PeerCount = {
      spId,
      approvals: { given: 0, refused: {} },
      columnsOut: columns(),
      columnsIn: columns(),
    };
    this.#peers.set(spId, peer);
    return peer;
  }

  answered({ spId, granted, refused, message }: ApprovalAnswer, lagMs: number): void {
    const peer = this.of(spId);
    peer.wire = message === '' ? 'http' : 'nats';
    peer.answeredAt = Date.now();
    peer.lagMs = Math.round(lagMs);
    if (granted.length > 0) peer.approvals.given += 1;
    for (const { code, reason } of refused) {
      count(peer.approvals.refused, code);
      peer.lastError = { code, message: reason.slice(0, MAX_MESSAGE), at: Date.now() };
    }
  }

  failed(spId: number, direction: 'columnsOut' | 'columnsIn', thrown: unknown): void {
    const error = toSealionError(thrown);
    if (error.kind === 'cancelled') return;
    const peer = this.of(spId);
    count(peer[direction].failed, error.code);
    peer.lastError = { code: error.code, message: error.message.slice(0, MAX_MESSAGE), at: Date.now() };
  }
}

function count(reasons: Record<string, number>, code: string): void {
  const key = code in reasons || Object.keys(reasons).length < MAX_REASONS ? code : 'other';
  reasons[key] = (reasons[key] ?? 0) + 1;
}

/** A client that counts what it asks and sends. */
export function countedClient(client: PeerClient, counts: PeerCounts): PeerClient {
  return {
    async *ask(ask, options) {
      const begin = performance.now();
      for await (const answer of client.ask(ask, options)) {
        counts.answered(answer, performance.now() - begin);
        yield answer;
      }
    },
    async open(offer, options) {
      try {
        return countedSession(await client.open(offer, options), offer.to, counts);
      } catch (error) {
        counts.failed(offer.to, 'columnsOut', error);
        throw error;
      }
    },
  };
}

function countedSession(session: ReplicationSession, spId: number, counts: PeerCounts): ReplicationSession {
  return {
    firstMissing: session.firstMissing,
    async send(piece, options) {
      await session.send(piece, options);
      counts.of(spId).columnsOut.bytes += piece.bytes.length;
    },
    async done(checksums, options) {
      try {
        const receipt = await session.done(checksums, options);
        counts.of(spId).columnsOut.done += 1;
        return receipt;
      } catch (error) {
        counts.failed(spId, 'columnsOut', error);
        throw error;
      }
    },
    close: () => session.close(),
  };
}

/** A host that counts the columns that come over NATS. */
export function countedHost(host: PeerHost, counts: PeerCounts): PeerHost {
  return {
    serveAsks: (answer, options) => host.serveAsks(answer, options),
    serveRecovery: (answer, options) => host.serveRecovery(answer, options),
    async *offers(options) {
      for await (const inbound of host.offers(options)) yield countedOffer(inbound, counts);
    },
  };
}

function countedOffer(inbound: InboundOffer, counts: PeerCounts): InboundOffer {
  const { offer, carriesColumn } = inbound;
  return {
    offer,
    ...(carriesColumn !== undefined && { carriesColumn }),
    async accept(firstMissing, options) {
      return countedInbound(await inbound.accept(firstMissing, options), offer.from, counts);
    },
    async receipt(receipt) {
      await inbound.receipt(receipt);
      counts.of(offer.from).columnsIn.done += 1;
    },
    async refuse(refusal) {
      await inbound.refuse(refusal);
      count(counts.of(offer.from).columnsIn.failed, refusal.code);
    },
    postpone: (delayMs) => inbound.postpone(delayMs),
  };
}

function countedInbound(session: InboundSession, spId: number, counts: PeerCounts): InboundSession {
  async function* counted(
    pieces: AsyncIterable<InboundPiece>,
  ): AsyncGenerator<InboundPiece, void, undefined> {
    for await (const piece of pieces) {
      counts.of(spId).columnsIn.bytes += piece.size;
      yield piece;
    }
  }
  return {
    pieces: (options) => counted(session.pieces(options)),
    done: (options) => session.done(options),
    close: () => session.close(),
  };
}
