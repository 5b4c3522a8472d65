import { type Wire, wireOf } from '#protocols/approval/wire';
import { toSealionError } from '#protocols/errors';
import type { Metrics } from '../telemetry/metrics.ts';
import type {
  ColumnOffer,
  InboundOffer,
  InboundPiece,
  InboundSession,
  PeerClient,
  PeerHost,
  ReplicationSession,
} from './peers.ts';

/** A way to other SPs on which approvals, columns and bytes are counted and timed. */
export function measuredPeers(client: PeerClient, metrics: Metrics): PeerClient {
  return {
    async *ask(ask, options) {
      for await (const answer of client.ask(ask, options)) {
        metrics.approvals.of(answer.spId, answer.granted.length > 0 ? 'granted' : 'refused').inc();
        yield answer;
      }
    },
    async open(offer, options) {
      const column = new SentColumn(offer, metrics);
      try {
        const session = await client.open(offer, options);
        for (const { length } of options.column ?? []) column.sent(length);
        return column.measured(session);
      } catch (error) {
        column.failed(error);
        throw error;
      }
    },
  };
}

/** The secondary's side over NATS, on which columns and bytes are counted and timed. */
export function measuredHost(host: PeerHost, metrics: Metrics): PeerHost {
  return {
    serveAsks: (answer, options) => host.serveAsks(answer, options),
    async *offers(options) {
      for await (const inbound of host.offers(options)) yield measuredOffer(inbound, metrics);
    },
    serveRecovery: (answer, options) =>
      host.serveRecovery(async (fetch, signal) => {
        const bytes = await answer(fetch, signal);
        metrics.peerBytes.of('out', 'nats', fetch.from).inc(bytes.length);
        return bytes;
      }, options),
  };
}

function measuredOffer(inbound: InboundOffer, metrics: Metrics): InboundOffer {
  const begin = performance.now();
  const { offer, carriesColumn } = inbound;
  const received = metrics.peerBytes.of('in', 'nats', offer.from);
  return {
    offer,
    ...(carriesColumn !== undefined && { carriesColumn }),
    accept: async (firstMissing, options) => {
      const session = await inbound.accept(firstMissing, options);
      return {
        pieces: (how) => counted(session, (bytes) => received.inc(bytes), how),
        done: (how) => session.done(how),
        close: () => session.close(),
      };
    },
    receipt: async (receipt) => {
      await inbound.receipt(receipt);
      metrics.receivedColumnSeconds.since(begin);
      metrics.receivedColumns.of(offer.from, 'stored').inc();
    },
    refuse: (refusal) => {
      metrics.receivedColumns.of(offer.from, refusal.code).inc();
      metrics.errors.of('peers', refusal.code).inc();
      return inbound.refuse(refusal);
    },
    postpone: (delayMs) => inbound.postpone(delayMs),
  };
}

async function* counted(
  session: InboundSession,
  add: (bytes: number) => void,
  options: Parameters<InboundSession['pieces']>[0],
): AsyncGenerator<InboundPiece, void, undefined> {
  for await (const piece of session.pieces(options)) {
    add(piece.size);
    yield piece;
  }
}

/** One column on its way: it is counted once, under its first failure or as stored. */
class SentColumn {
  readonly #metrics: Metrics;
  readonly #to: number;
  readonly #wire: Wire;
  readonly #begin = performance.now();
  #ended = false;

  constructor({ to, approval }: ColumnOffer, metrics: Metrics) {
    this.#metrics = metrics;
    this.#to = to;
    this.#wire = wireOf(approval);
  }

  sent(bytes: number): void {
    this.#metrics.peerBytes.of('out', this.#wire, this.#to).inc(bytes);
  }

  failed(error: unknown): void {
    this.#end(toSealionError(error).code);
  }

  measured(session: ReplicationSession): ReplicationSession {
    return {
      firstMissing: session.firstMissing,
      send: async (piece, options) => {
        await this.#watched(session.send(piece, options));
        this.sent(piece.bytes.length);
      },
      done: async (checksums, options) => {
        const receipt = await this.#watched(session.done(checksums, options));
        this.#metrics.columnSeconds.of(this.#wire).since(this.#begin);
        this.#end('stored');
        return receipt;
      },
      close: () => session.close(),
    };
  }

  async #watched<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  #end(outcome: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#metrics.columns.of(this.#to, this.#wire, outcome).inc();
  }
}
