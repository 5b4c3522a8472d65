import { toSealionError } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import { type Attributes, ended, type Traces } from '../telemetry/traces.ts';
import type {
  ApprovalAnswer,
  ApprovalAsk,
  ColumnOffer,
  ColumnRequest,
  InboundOffer,
  PeerClient,
  PeerHost,
  PieceSource,
} from './peers.ts';

/** A way to other SPs on which each column has a span, which the offer carries to the secondary. */
export function tracedPeers(client: PeerClient, traces: Traces): PeerClient {
  if (!traces.on) return client;
  return {
    ask: (ask, options) => tracedAsk(client, traces, ask, options),
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

async function* tracedAsk(
  client: PeerClient,
  traces: Traces,
  ask: ApprovalAsk,
  options: Parameters<PeerClient['ask']>[1],
): AsyncGenerator<ApprovalAnswer, void, undefined> {
  const attributes = { 'sealion.job': formatJobId(ask.job), 'sealion.groups': ask.groups.length };
  const span = traces.child('ask for approvals', ask.trace, { attributes });
  const { traceparent: trace } = span;
  const counts = { granted: 0, refused: 0 };
  try {
    for await (const answer of client.ask({ ...ask, ...(trace !== undefined && { trace }) }, options)) {
      counts[answer.granted.length > 0 ? 'granted' : 'refused'] += 1;
      yield answer;
    }
  } finally {
    span.set({ 'sealion.granted': counts.granted, 'sealion.refused': counts.refused });
    span.end();
  }
}

/** A source of pieces on which each fetch has a span, which is carried to the holder. */
export function tracedPieces(source: PieceSource, traces: Traces): PieceSource {
  if (!traces.on) return source;
  const within = <R extends ColumnRequest, T>(
    name: string,
    request: R,
    fetch: (traced: R) => Promise<T>,
  ): Promise<T> => {
    const span = traces.child(name, request.trace, { attributes: attributesOf(request, request.to) });
    const { traceparent: trace } = span;
    return ended(span, fetch({ ...request, ...(trace !== undefined && { trace }) }));
  };
  return {
    fetchPiece: (request, options) =>
      within('fetch piece', request, (traced) => source.fetchPiece(traced, options)),
    fetchChecksums: (request, options) =>
      within('fetch checksums', request, (traced) => source.fetchChecksums(traced, options)),
  };
}

/** The secondary's side over NATS: a span for each ask, offer and fetch, in the trace of whoever sends it. */
export function tracedHost(host: PeerHost, traces: Traces): PeerHost {
  if (!traces.on) return host;
  return {
    serveAsks: (answer, options) =>
      host.serveAsks((ask, signal) => {
        const attributes = { 'sealion.job': formatJobId(ask.job), 'sealion.peer': ask.primarySpId };
        return ended(traces.child('answer ask', ask.trace, { attributes }), answer(ask, signal));
      }, options),
    serveRecovery: (answer, options) =>
      host.serveRecovery((fetch, signal) => {
        const attributes = attributesOf(fetch, fetch.from);
        return ended(traces.child('serve piece', fetch.trace, { attributes }), answer(fetch, signal));
      }, options),
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

function attributesOf(
  { job, redundancyIndex }: Pick<ColumnOffer, 'job' | 'redundancyIndex'>,
  peer: number,
): Attributes {
  return { 'sealion.job': formatJobId(job), 'sealion.column': redundancyIndex, 'sealion.peer': peer };
}
