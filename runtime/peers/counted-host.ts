import type { Metrics } from '../telemetry/metrics.ts';
import type { PeerCounts } from './peer-counts.ts';
import type { InboundOffer, InboundPiece, InboundSession, PeerHost } from './peers.ts';

/** The secondary's side over NATS, on which columns, bytes and refusals are counted, and columns timed. */
export function countedHost(host: PeerHost, counts: PeerCounts, metrics: Metrics): PeerHost {
  return {
    serveAsks: (answer, options) => host.serveAsks(answer, options),
    async *offers(options) {
      for await (const inbound of host.offers(options)) yield countedOffer(inbound, counts, metrics);
    },
    serveRecovery: (answer, options) =>
      host.serveRecovery(async (fetch, signal) => {
        const { from, segmentIndex, offset } = fetch;
        try {
          const bytes = await answer(fetch, signal);
          counts.bytes('served', from, 'nats', bytes.length);
          // a piece is fetched range by range
          if (segmentIndex !== undefined && offset === 0) counts.done('served', from, 'nats');
          return bytes;
        } catch (error) {
          counts.failed('served', from, 'nats', error);
          throw error;
        }
      }, options),
  };
}

function countedOffer(inbound: InboundOffer, counts: PeerCounts, metrics: Metrics): InboundOffer {
  const begin = performance.now();
  const { offer, carriesColumn } = inbound;
  const { from } = offer;
  return {
    offer,
    ...(carriesColumn !== undefined && { carriesColumn }),
    async accept(firstMissing, options) {
      const session = await inbound.accept(firstMissing, options);
      return {
        pieces: (how) => counted(session, (bytes) => counts.bytes('columnsIn', from, 'nats', bytes), how),
        done: (how) => session.done(how),
        close: () => session.close(),
      };
    },
    async receipt(receipt) {
      await inbound.receipt(receipt);
      metrics.receivedColumnSeconds.since(begin);
      counts.done('columnsIn', from, 'nats');
    },
    refuse(refusal) {
      counts.refused('columnsIn', from, 'nats', refusal);
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
