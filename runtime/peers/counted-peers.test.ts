import test from 'ava';
import { Cancelled, Retryable } from '#protocols/errors';
import { Metrics } from '../telemetry/metrics.ts';
import { countedHost } from './counted-host.ts';
import { countedPeers, countedPieces } from './counted-peers.ts';
import { PeerCounts } from './peer-counts.ts';
import { watchPeers } from './peer-metrics.ts';
import type {
  ApprovalAsk,
  ColumnOffer,
  InboundOffer,
  PeerClient,
  PeerHost,
  PieceRequest,
  PieceSource,
  ReplicationSession,
} from './peers.ts';

const { signal } = new AbortController();
const ASK = { groups: [{ gvgId: 1, secondarySpIds: [3, 4, 5] }] } as unknown as ApprovalAsk;
const PIECE = { segmentIndex: 0, bytes: new Uint8Array(9) };
const unreachable = new Retryable({ code: 'peer-unreachable', message: 'no' });

/** Answers over NATS from SP 3, refuses over HTTP as SP 4, and hears nothing from SP 5. */
function peers(session: Partial<ReplicationSession>): PeerClient {
  return {
    async *ask() {
      yield { spId: 3, expiresAt: 1, granted: [{ gvgId: 1, redundancyIndex: 0 }], refused: [], message: 'x' };
      const refused = [{ gvgId: 1, code: 'full', reason: 'no' }];
      yield { spId: 4, expiresAt: 1, granted: [], refused, message: '' };
    },
    open: async () => ({ firstMissing: 0, close: () => undefined, ...session }) as ReplicationSession,
  };
}

function counted(session: Partial<ReplicationSession>) {
  const metrics = new Metrics();
  const counts = new PeerCounts();
  watchPeers(metrics.registry, counts);
  return { metrics, counts, client: countedPeers(peers(session), counts, metrics) };
}

const offerTo = (to: number, approval = 'signed') => ({ from: 1, to, approval }) as ColumnOffer;

test('answers are counted by SP, and who gives none is silent', async (t) => {
  const { client, counts, metrics } = counted({});
  for await (const _ of client.ask(ASK, { timeoutMs: 1 })) t.pass();
  t.like(counts.report(), [
    { spId: 3, wire: 'nats', approvals: { given: 1, silent: 0 } },
    { spId: 4, wire: 'http', approvals: { given: 0, refused: { full: 1 } }, lastError: { code: 'full' } },
    { spId: 5, approvals: { given: 0, silent: 1 } },
  ]);
  const { body } = await metrics.text();
  t.true(body.includes('sealion_approvals_total{sp="3",answer="granted"} 1'));
  t.true(body.includes('sealion_approvals_total{sp="5",answer="silent"} 1'));
});

test('an SP that cannot be reached has not answered, whatever stands in for its answer', (t) => {
  const counts = new PeerCounts();
  const refused = [{ gvgId: 1, code: 'peer-unreachable', reason: 'no answer within 5000 ms' }];
  counts.answered({ spId: 4, expiresAt: 1, granted: [], refused, message: '' }, 1);
  const [peer] = counts.report();
  t.like(peer, { spId: 4, approvals: { silent: 1, refused: {} }, lastError: { code: 'peer-unreachable' } });
  t.is(peer?.answeredAt, undefined);
});

test('nobody is silent for whoever has enough answers', async (t) => {
  const { client, counts } = counted({});
  for await (const _ of client.ask(ASK, { timeoutMs: 1 })) break;
  t.deepEqual(
    counts.report().map(({ spId }) => spId),
    [3],
  );
});

test('columns and their bytes are counted by SP and wire, those that go with the offer too', async (t) => {
  const done = { send: async () => undefined, done: async () => ({}) } as unknown as ReplicationSession;
  for (const [approval, wire, bytes] of [
    ['signed', 'nats', 9],
    ['', 'http', 9],
  ] as const) {
    const { client, counts, metrics } = counted(done);
    const session = await client.open(offerTo(4, approval), {});
    await session.send(PIECE);
    await session.done([]);
    t.like(counts.report(), [{ spId: 4, columnsOut: { done: 1, bytes } }]);
    const { body } = await metrics.text();
    t.true(body.includes(`sealion_columns_total{sp="4",wire="${wire}",outcome="stored"} 1`));
    t.true(
      body.includes(`sealion_peer_bytes_total{direction="out",wire="${wire}",sp="4",purpose="column"} 9`),
    );
    t.is(metrics.columnSeconds.of(wire).count, 1);
  }
  const { client, counts } = counted({ ...done, firstMissing: 1, sentBytes: 7 });
  await client.open(offerTo(4), {});
  t.is(counts.report()[0]?.columnsOut.bytes, 7);
});

test('a column that fails counts once, under the code of its first failure', async (t) => {
  const fails = () => Promise.reject(unreachable);
  const { client, counts } = counted({ send: fails, done: fails });
  const session = await client.open(offerTo(4), {});
  await t.throwsAsync(session.send(PIECE));
  await t.throwsAsync(session.done([]));
  t.like(counts.report()[0], {
    columnsOut: { done: 0, bytes: 0, failed: { 'peer-unreachable': 1 } },
    lastError: { code: 'peer-unreachable' },
  });
});

test('what is cancelled has not failed', async (t) => {
  const stop = () => Promise.reject(new Cancelled({ code: 'aborted', message: 'stop' }));
  const { client, counts } = counted({ send: stop });
  const session = await client.open(offerTo(4), {});
  await t.throwsAsync(session.send(PIECE));
  t.deepEqual(counts.report()[0]?.columnsOut.failed ?? {}, {});
});

test('offers of other SPs are counted as they end, and the pieces that they fetch', async (t) => {
  const metrics = new Metrics();
  const counts = new PeerCounts();
  const inbound: InboundOffer = {
    offer: offerTo(4),
    accept: async () => ({
      async *pieces() {
        yield { segmentIndex: 0, size: 5, bytes: (async function* () {})() };
      },
      done: async () => [],
      close: () => undefined,
    }),
    receipt: async () => undefined,
    refuse: async () => undefined,
    postpone: async () => undefined,
  };
  const fetched = { from: 3, segmentIndex: 0, offset: 0, length: 2 } as Parameters<
    Parameters<PeerHost['serveRecovery']>[0]
  >[0];
  const host: Partial<PeerHost> = {
    async *offers() {
      yield inbound;
      yield inbound;
    },
    async serveRecovery(answer) {
      await answer(fetched, signal);
      await answer({ ...fetched, offset: 2 }, signal);
    },
  };
  const watched = countedHost(host as PeerHost, counts, metrics);
  const offers: InboundOffer[] = [];
  for await (const offer of watched.offers({ limit: 1, signal })) offers.push(offer);
  for await (const _ of (await offers[0]?.accept(0))?.pieces() ?? []);
  await offers[0]?.receipt({} as Parameters<InboundOffer['receipt']>[0]);
  await offers[1]?.refuse({ code: 'wrong-group', reason: 'no', again: false });
  await watched.serveRecovery(async () => new Uint8Array(2), { signal });
  t.like(counts.report(), [
    { spId: 1, columnsIn: { done: 1, bytes: 5, failed: { 'wrong-group': 1 } } },
    { spId: 3, served: { done: 1, bytes: 4 } },
  ]);
  t.is(metrics.errors.of('peers', 'wrong-group').value, 1);
});

test('pieces fetched for repairs are counted, under the wire that was used', async (t) => {
  const metrics = new Metrics();
  const counts = new PeerCounts();
  watchPeers(metrics.registry, counts);
  const source: PieceSource = {
    async fetchPiece({ to }) {
      if (to === 4) throw unreachable;
      return new Uint8Array(3);
    },
    fetchChecksums: async () => undefined,
  };
  const pieces = countedPieces(source, (spId) => (spId === 3 ? 'http' : 'nats'), counts);
  await pieces.fetchPiece({ to: 3 } as PieceRequest);
  await t.throwsAsync(pieces.fetchPiece({ to: 4 } as PieceRequest));
  const { body } = await metrics.text();
  t.true(body.includes('sealion_fetched_pieces_total{sp="3",wire="http",outcome="served"} 1'));
  t.true(body.includes('sealion_fetched_pieces_total{sp="4",wire="nats",outcome="peer-unreachable"} 1'));
  t.true(body.includes('sealion_peer_bytes_total{direction="in",wire="http",sp="3",purpose="repair"} 3'));
});

test('neither SPs nor the codes that they choose fill the memory', (t) => {
  const counts = new PeerCounts();
  for (let i = 0; i < 1_500; i += 1) counts.silent(i);
  t.is(counts.report().length, 1_000);
  for (let i = 0; i < 200; i += 1) {
    const refused = [{ gvgId: 1, code: `code-${i}`, reason: 'x'.repeat(10_000) }];
    counts.answered({ spId: 1_499, expiresAt: 1, granted: [], refused, message: '' }, 1);
  }
  const peer = counts.report().find(({ spId }) => spId === 1_499);
  t.is(Object.keys(peer?.approvals.refused ?? {}).length, 51);
  t.is(peer?.approvals.refused.other, 150);
  t.is(peer?.lastError?.message.length, 500);
});
