import { toSealionError } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import type { Attributes, Traces } from '../telemetry/traces.ts';
import type { ColumnOffer, InboundOffer, PeerClient, PeerHost } from './peers.ts';

/** A way to other SPs on which each column has a span, which the offer carries to the secondary. */
export function tracedPeers(client: PeerClient, traces: Traces): PeerClient {
  if (!traces.on) return client;
  return {
    ask: (ask, options) => client.ask(ask, options),
    async open(offer, options) {
      const span = traces.child('send column', offer.trace, { attributes: attributesOf(offer, offer.to) });
      const failed = (error: unknown): never => {
        span.end({ error: toSealionError(error).code });
        throw error;
      };
      const { traceparent: trace } = span;
      const session = await client
        .open({ ...offer, ...(trace !== undefined && { trace }) }, options)
        .catch(failed);
      return {
        firstMissing: session.firstMissing,
        ...(session.sentBytes !== undefined && { sentBytes: session.sentBytes }),
        send: (piece, how) => session.send(piece, how).catch(failed),
        done: async (checksums, how) => {
          const receipt = await session.done(checksums, how).catch(failed);
          span.end();
          return receipt;
        },
        close() {
          session.close();
          span.end();
        },
      };
    },
  };
}

/** The secondary's side over NATS: a span for each offer, in the trace of its primary. */
export function tracedHost(host: PeerHost, traces: Traces): PeerHost {
  if (!traces.on) return host;
  return {
    serveAsks: (answer, options) => host.serveAsks(answer, options),
    serveRecovery: (answer, options) => host.serveRecovery(answer, options),
    async *offers(options) {
      for await (const inbound of host.offers(options)) yield tracedOffer(inbound, traces);
    },
  };
}

function tracedOffer(inbound: InboundOffer, traces: Traces): InboundOffer {
  const { offer, carriesColumn } = inbound;
  const span = traces.child('receive column', offer.trace, { attributes: attributesOf(offer, offer.from) });
  return {
    offer,
    ...(carriesColumn !== undefined && { carriesColumn }),
    accept: (firstMissing, options) => inbound.accept(firstMissing, options),
    async receipt(receipt) {
      await inbound.receipt(receipt);
      span.end();
    },
    refuse(refusal) {
      span.end({ error: refusal.code });
      return inbound.refuse(refusal);
    },
    postpone(delayMs) {
      span.end({ error: 'postponed' });
      return inbound.postpone(delayMs);
    },
  };
}

function attributesOf({ job, redundancyIndex }: ColumnOffer, peer: number): Attributes {
  return { 'sealion.job': formatJobId(job), 'sealion.column': redundancyIndex, 'sealion.peer': peer };
}
