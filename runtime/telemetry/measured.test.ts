import test from 'ava';
import { Retryable } from '#protocols/errors';
import type { Chain } from '../chain/chain.ts';
import { measuredChain } from '../chain/measured-chain.ts';
import { measuredHost, measuredPeers } from '../peers/measured-peers.ts';
import type { ColumnOffer, InboundOffer, PeerClient, PeerHost, ReplicationSession } from '../peers/peers.ts';
import { measuredPieceStore } from '../pieces/measured-piece-store.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import { Metrics } from './metrics.ts';

const { signal } = new AbortController();

test('operations of the PieceStore are timed, and their bytes counted', async (t) => {
  const metrics = new Metrics();
  const store: Partial<PieceStore> = {
    put: async (key) => ({ key, size: 7, checksum: '0x' }),
    async *read() {
      yield new Uint8Array(3);
      yield new Uint8Array(4);
    },
  };
  const measured = measuredPieceStore(store as PieceStore, metrics);
  t.is((await measured.put('a', new Uint8Array(7))).size, 7);
  for await (const _ of measured.read('a'));
  t.deepEqual(
    ['in', 'out'].map((direction) => metrics.pieceBytes.of(direction).value),
    [7, 7],
  );
  t.is(metrics.pieceSeconds.of('read').count, 1);
});

test('queries of the chain are timed by name, failed ones too', async (t) => {
  const metrics = new Metrics();
  class Node {
    readonly chainId = 'greenfield_9000-1741';
    #height = 3;
    latestBlock = async () => ({ height: this.#height, time: 0 });
    async bucket() {
      throw new Retryable({ code: 'chain-unavailable', message: 'no' });
    }
  }
  const chain = measuredChain(new Node() as unknown as Chain, metrics);
  t.is(chain.chainId, 'greenfield_9000-1741');
  t.is((await chain.latestBlock()).height, 3);
  await t.throwsAsync(chain.bucket('photos'), { code: 'chain-unavailable' });
  t.is(metrics.chainSeconds.of('latestBlock').count, 1);
  t.is(metrics.chainSeconds.of('bucket').count, 1);
});

const OFFER = { from: 1, to: 4, approval: 'signed' } as ColumnOffer;

function peers(session: Partial<ReplicationSession>): PeerClient {
  return {
    async *ask() {
      yield { spId: 4, expiresAt: 0, granted: [{ gvgId: 1, redundancyIndex: 0 }], refused: [], message: '' };
      yield { spId: 5, expiresAt: 0, granted: [], refused: [], message: '' };
    },
    open: async () => ({ firstMissing: 0, close: () => undefined, ...session }) as ReplicationSession,
  };
}

test('approvals, columns and bytes to other SPs are counted by SP', async (t) => {
  const metrics = new Metrics();
  const done = { send: async () => undefined, done: async () => ({}) } as unknown as ReplicationSession;
  const client = measuredPeers(peers(done), metrics);
  for await (const _ of client.ask({} as Parameters<PeerClient['ask']>[0], { timeoutMs: 1 }));
  const session = await client.open(OFFER, {});
  await session.send({ segmentIndex: 0, bytes: new Uint8Array(9) });
  await session.done([]);
  t.is(metrics.approvals.of(4, 'granted').value, 1);
  t.is(metrics.approvals.of(5, 'refused').value, 1);
  t.is(metrics.peerBytes.of('out', 'nats', 4).value, 9);
  t.is(metrics.columns.of(4, 'nats', 'stored').value, 1);
  t.is(metrics.columnSeconds.of('nats').count, 1);
});

test('a column that fails counts once, under the code of its first failure', async (t) => {
  const metrics = new Metrics();
  const fails = async () => {
    throw new Retryable({ code: 'peer-unreachable', message: 'no' });
  };
  const session = await measuredPeers(peers({ send: fails, done: fails }), metrics).open(OFFER, {});
  await t.throwsAsync(session.send({ segmentIndex: 0, bytes: new Uint8Array(9) }));
  await t.throwsAsync(session.done([]));
  t.is(metrics.columns.of(4, 'nats', 'peer-unreachable').value, 1);
  t.is(metrics.peerBytes.of('out', 'nats', 4).value, 0);
});

test('offers of other SPs are counted as they end', async (t) => {
  const metrics = new Metrics();
  const inbound: InboundOffer = {
    offer: OFFER,
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
  const host: Partial<PeerHost> = {
    async *offers() {
      yield inbound;
      yield inbound;
    },
  };
  const offers: InboundOffer[] = [];
  for await (const offer of measuredHost(host as PeerHost, metrics).offers({ limit: 1, signal }))
    offers.push(offer);
  const [first, second] = offers;
  for await (const _ of (await first?.accept(0))?.pieces() ?? []);
  await first?.receipt({} as Parameters<InboundOffer['receipt']>[0]);
  await second?.refuse({ code: 'wrong-group', reason: 'no', again: false });
  t.is(metrics.peerBytes.of('in', 'nats', 1).value, 5);
  t.is(metrics.receivedColumns.of(1, 'stored').value, 1);
  t.is(metrics.errors.of('peers', 'wrong-group').value, 1);
});
