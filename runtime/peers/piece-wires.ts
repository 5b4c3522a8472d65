import { LRUCache } from 'lru-cache';
import type { Wire } from '#protocols/approval/wire';
import { Retryable, SealionError } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import type { ColumnRequest, PeerOptions, PieceRequest, PieceSource } from './peers.ts';

/** The wire on which an SP answered last; forgotten after `ttl`, ms. */
const ANSWERED = { max: 1_000, ttl: 300_000 };

/**
 * Fetches stored pieces of other SPs over the wire on which each of them answers: NATS first, then HTTP if nobody
 * listens there. The wire that answered last is tried first.
 */
export class PieceWires implements PieceSource {
  /** Absent when this SP does not use the wire; one of the two is present. */
  readonly #wires: Readonly<Partial<Record<Wire, PieceSource>>>;
  readonly #answered = new LRUCache<number, Wire>(ANSWERED);

  constructor(wires: Readonly<Partial<Record<Wire, PieceSource>>>) {
    this.#wires = wires;
  }

  fetchPiece(request: PieceRequest, options?: PeerOptions): Promise<Uint8Array> {
    return this.#overEither(request, (wire) => wire.fetchPiece(request, options));
  }

  fetchChecksums(
    request: ColumnRequest & { readonly segmentCount: number },
    options?: PeerOptions,
  ): Promise<readonly Hex[] | undefined> {
    return this.#overEither(request, (wire) => wire.fetchChecksums(request, options));
  }

  /** The wire on which an SP answered last; the first to be tried, while it has not. */
  wireTo(spId: number): Wire {
    return this.#answered.get(spId) ?? (this.#wires.nats ? 'nats' : 'http');
  }

  async #overEither<T>({ to }: ColumnRequest, ask: (wire: PieceSource) => Promise<T>): Promise<T> {
    const order: readonly Wire[] = this.#answered.get(to) === 'http' ? ['http', 'nats'] : ['nats', 'http'];
    let failure: unknown;
    for (const name of order) {
      const wire = this.#wires[name];
      if (!wire) continue;
      try {
        const answer = await ask(wire);
        this.#answered.set(to, name);
        return answer;
      } catch (error) {
        // The first error says more: the SP may not use the other wire at all.
        failure ??= error;
        if (!isUnreachable(error)) throw error;
      }
    }
    throw failure ?? noWire(to);
  }
}

/** Codes that mean that the SP cannot be reached over a wire. */
const UNREACHABLE: ReadonlySet<string> = new Set(['peer-unreachable', 'private-endpoint']);

function isUnreachable(error: unknown): boolean {
  return error instanceof SealionError && UNREACHABLE.has(error.code);
}

function noWire(spId: number): Retryable {
  return new Retryable({
    code: 'peer-unreachable',
    message: `This node has no wire to storage provider ${spId}.`,
    advice: 'Name one in peers.wires.',
  });
}
