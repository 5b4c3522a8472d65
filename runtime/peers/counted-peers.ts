import { type Wire, wireOf } from '#protocols/approval/wire';
import type { Metrics } from '../telemetry/metrics.ts';
import type { PeerCounts } from './peer-counts.ts';
import type { ApprovalAsk, ColumnOffer, PeerClient, PieceSource, ReplicationSession } from './peers.ts';

/** A way to other SPs on which answers, columns and bytes are counted, and columns timed. */
export function countedPeers(client: PeerClient, counts: PeerCounts, metrics: Metrics): PeerClient {
  return {
    async *ask(ask, options) {
      const begin = performance.now();
      const silent = membersOf(ask);
      for await (const answer of client.ask(ask, options)) {
        silent.delete(answer.spId);
        counts.answered(answer, performance.now() - begin);
        yield answer;
      }
      // Not reached when whoever asks has enough answers, or is stopped.
      for (const spId of silent) counts.silent(spId);
    },
    async open(offer, options) {
      const column = new SentColumn(offer, counts, metrics);
      try {
        return column.counted(await client.open(offer, options));
      } catch (error) {
        column.failed(error);
        throw error;
      }
    },
  };
}

function membersOf({ groups }: ApprovalAsk): Set<number> {
  return new Set(groups.flatMap(({ secondarySpIds }) => secondarySpIds));
}

/** A source of pieces on which is counted what is fetched. @param wireTo the wire on which an SP answered last */
export function countedPieces(
  source: PieceSource,
  wireTo: (spId: number) => Wire,
  counts: PeerCounts,
): PieceSource {
  return {
    async fetchPiece(request, options) {
      const { to } = request;
      try {
        const bytes = await source.fetchPiece(request, options);
        counts.done('fetched', to, wireTo(to));
        counts.bytes('fetched', to, wireTo(to), bytes.length);
        return bytes;
      } catch (error) {
        counts.failed('fetched', to, wireTo(to), error);
        throw error;
      }
    },
    fetchChecksums: (request, options) => source.fetchChecksums(request, options),
  };
}

/** One column on its way: it is counted once, as stored or under its first failure. */
class SentColumn {
  readonly #counts: PeerCounts;
  readonly #metrics: Metrics;
  readonly #to: number;
  readonly #wire: Wire;
  readonly #begin = performance.now();
  #ended = false;

  constructor({ to, approval }: ColumnOffer, counts: PeerCounts, metrics: Metrics) {
    this.#counts = counts;
    this.#metrics = metrics;
    this.#to = to;
    this.#wire = wireOf(approval);
  }

  failed(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#counts.failed('columnsOut', this.#to, this.#wire, error);
  }

  counted(session: ReplicationSession): ReplicationSession {
    const { firstMissing, sentBytes = 0 } = session;
    this.#sent(sentBytes);
    return {
      firstMissing,
      sentBytes,
      send: async (piece, options) => {
        await this.#watched(session.send(piece, options));
        this.#sent(piece.bytes.length);
      },
      done: async (checksums, options) => {
        const receipt = await this.#watched(session.done(checksums, options));
        this.#metrics.columnSeconds.of(this.#wire).since(this.#begin);
        this.#ended = true;
        this.#counts.done('columnsOut', this.#to, this.#wire);
        return receipt;
      },
      close: () => session.close(),
    };
  }

  #sent(bytes: number): void {
    if (bytes > 0) this.#counts.bytes('columnsOut', this.#to, this.#wire, bytes);
  }

  async #watched<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }
}
