import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import test from 'ava';
import { Terminal } from '#protocols/errors';
import { checksum } from '#protocols/integrity/checksums';
import { peersInbox } from '../../nats/accounts.ts';
import type { NatsServer } from '../../nats/server.ts';
import type { InboundFetch } from '../peers.ts';
import {
  codecOf,
  joinPlane,
  keepCodes,
  type Node,
  operatorKey,
  startNode,
  startServer,
} from '../testing/peers.ts';
import type { ControlCodec } from './control-codec.ts';

/** SP 1 has lost pieces, SP 2 holds them, SP 3 says whatever it likes, as far as the server lets it. */
let server: NatsServer;
let asker: Node;
let holder: Node;
let rogue: NatsConnection;
const heard = keepCodes();
const stop = new AbortController();
const MIB = 1024 * 1024;
const PIECE = randomBytes(2 * MIB + 17);
const JOB = { objectId: '4711', version: 3 };
const REQUEST = { job: JOB, to: 2, gvgId: 77, redundancyIndex: 4, segmentIndex: 9, length: PIECE.length };

/** One range: one fetch, one line in the log. */
const SMALL = { ...REQUEST, length: 17 };

let asked: InboundFetch[] = [];
/** What the holder does with a fetch; tests replace it. */
let answer: (fetch: InboundFetch) => Promise<Uint8Array> = serve;
async function serve({ offset, length }: InboundFetch): Promise<Uint8Array> {
  return PIECE.subarray(offset, offset + length);
}

test.before(async () => {
  server = await startServer();
  asker = await startNode(server.url, 1);
  holder = await startNode(server.url, 2, { log: heard.log });
  rogue = await joinPlane(server.url, 3);
  void holder.host.serveRecovery(
    (fetch) => {
      asked.push(fetch);
      return answer(fetch);
    },
    { signal: stop.signal },
  );
  await holder.peers.flush();
});

test.beforeEach(() => {
  asked = [];
  answer = serve;
});

test.after.always(async () => {
  stop.abort();
  await rogue?.close();
  await asker?.close();
  await holder?.close();
  await server?.stop();
});

test.serial(
  'a piece arrives whole in ranges, and the holder sees what is asked for and by whom',
  async (t) => {
    t.true(PIECE.equals(await asker.pieces.fetchPiece(REQUEST)));
    t.is(asked.length, 5);
    t.deepEqual(
      asked.map(({ offset }) => offset).sort((a, b) => a - b),
      [0, MIB / 2, MIB, 1.5 * MIB, 2 * MIB],
    );
    for (const fetch of asked)
      t.like(fetch, { from: 1, job: JOB, gvgId: 77, redundancyIndex: 4, segmentIndex: 9 });
  },
);

test.serial('the checksums of a column arrive the same way', async (t) => {
  const checksums = Array.from({ length: 20_000 }, (_, i) => checksum(Buffer.from(String(i))));
  const list = Buffer.from(checksums.join(''), 'hex');
  answer = async ({ offset, length }) => list.subarray(offset, offset + length);
  const found = await asker.pieces.fetchChecksums({ ...REQUEST, segmentCount: checksums.length });
  t.deepEqual(found, checksums);
  t.is(asked[0]?.segmentIndex, undefined);
});

test.serial('a refusal by the holder carries its reason, for now or for good', async (t) => {
  answer = async () => {
    throw new Terminal({ code: 'not-a-member', message: 'You are not of this group.' });
  };
  const refused = await t.throwsAsync(asker.pieces.fetchPiece(SMALL), { code: 'fetch-refused' });
  t.like(refused, { kind: 'terminal' });
  t.regex(refused?.message ?? '', /not of this group.*not-a-member/);
  answer = () => Promise.reject(new Error('out of order'));
  t.like(await t.throwsAsync(asker.pieces.fetchPiece(SMALL)), { code: 'fetch-refused', kind: 'retryable' });
  // a range that is shorter than asked never reaches the asker as bytes
  answer = async () => PIECE.subarray(0, 5);
  await t.throwsAsync(asker.pieces.fetchPiece(SMALL), { code: 'fetch-refused', message: /wrong-range/ });
  await heard.take(3);
});

test.serial('an SP without a running node is unreachable at once', async (t) => {
  await t.throwsAsync(asker.pieces.fetchPiece({ ...REQUEST, to: 5 }), { code: 'peer-unreachable' });
});

test.serial('without the permission to ask, a holder counts as unreachable on this wire', async (t) => {
  // SP 4 on the connection of SP 1, which may not ask in its name
  const peers = await joinPlane(server.url, 1);
  const forbidden = await startNode(server.url, 4, { peers });
  t.teardown(async () => {
    await forbidden.close();
    await peers.close();
  });
  await t.throwsAsync(forbidden.pieces.fetchPiece(SMALL), { code: 'peer-unreachable' });
});

test.serial('an answer that is too long or too short is rejected', async (t) => {
  const liar = await joinPlane(server.url, 6);
  t.teardown(() => liar.close());
  let bytes = MIB / 2;
  liar.subscribe('recovery.6.*', { callback: (_, message) => void message.respond(new Uint8Array(bytes)) });
  await liar.flush();
  for (bytes of [0, 16, 18]) {
    const request = { ...SMALL, to: 6 };
    await t.throwsAsync(asker.pieces.fetchPiece(request), { code: 'wrong-length' }, `${bytes}`);
  }
});

test.serial('concurrent fetches wait for their turn, and no requester takes all slots', async (t) => {
  let most = 0;
  let running = 0;
  answer = async (fetch) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
    return serve(fetch);
  };
  const pieces = await Promise.all(Array.from({ length: 6 }, () => asker.pieces.fetchPiece(REQUEST)));
  for (const piece of pieces) t.true(PIECE.equals(piece));
  t.true(most <= 8, `${most}`);
});

test.serial('an aborted fetch ends, and its window with it', async (t) => {
  const abort = new AbortController();
  let release: () => void = () => undefined;
  answer = () =>
    new Promise((resolve) => {
      release = () => resolve(new Uint8Array());
    });
  const fetching = asker.pieces.fetchPiece(SMALL, { signal: abort.signal });
  setTimeout(() => abort.abort(), 50);
  t.like(await t.throwsAsync(fetching), { kind: 'cancelled' });
  release();
  t.deepEqual(await heard.take(1), ['wrong-range']);
});

test.serial('a fetch that is forged, changed, expired, or for another SP or chain is refused', async (t) => {
  const body = { segmentIndex: 9, offset: 0, length: 10 };
  const about = { job: JOB, gvgId: 77, redundancyIndex: 4 };
  const seal = async (codec: ControlCodec, change: object = {}) => {
    const draft = { kind: 'fetch', to: 2, about, expiresAt: Date.now() + 60_000, body } as const;
    return (await codec.seal({ ...draft, ...change })).bytes;
  };
  const honest = await seal(codecOf(3));
  const text = Buffer.from(honest).toString();
  const cases: [string, Uint8Array][] = [
    ['control-wrong-signature', await seal(codecOf(3, { operatorKey: operatorKey(1) }))],
    ['control-wrong-sender', await seal(codecOf(1))],
    ['control-wrong-receiver', await seal(codecOf(3), { to: 4 })],
    ['control-wrong-chain', await seal(codecOf(3, { chainId: 'greenfield_1017-1' }))],
    ['control-expired', await seal(codecOf(3), { expiresAt: Date.now() - 1 })],
    ['control-wrong-signature', Buffer.from(text.replace('"redundancy_index":4', '"redundancy_index":5'))],
    ['control-wrong-body', Buffer.from(text.replace('"offset":0', '"offset":1'))],
    ['control-malformed', Buffer.from(text.replace('"length":10', '"length":524289'))],
    ['control-malformed', Buffer.from('give me all')],
  ];
  for (const [code, message] of cases) {
    const answered = await rogue.request('recovery.2.3', message, { timeout: 60_000 });
    t.regex(answered.string(), new RegExp(code));
    t.deepEqual(await heard.take(1), [code]);
  }
  t.deepEqual(asked, []);
  // the same, said honestly, is answered, and only once
  const once = await rogue.request('recovery.2.3', honest, { timeout: 60_000 });
  t.deepEqual(Buffer.from(once.data), PIECE.subarray(0, 10));
  await rogue.request('recovery.2.3', honest, { timeout: 60_000 });
  t.deepEqual(await heard.take(1), ['fetch-repeated']);
  t.is(asked.length, 1);
});

test.serial('an answer can reach only its requester', async (t) => {
  const about = { job: JOB, gvgId: 77, redundancyIndex: 4 };
  const body = { segmentIndex: 9, offset: 0, length: 10 };
  const expiresAt = Date.now() + 60_000;
  const { bytes } = await codecOf(3).seal({ kind: 'fetch', to: 2, about, expiresAt, body });
  for (const reply of [`${peersInbox(1)}.x`, 'peer.1.offer.2.4711.0.0', `${peersInbox(33)}.x`]) {
    rogue.publish('recovery.2.3', bytes, { reply });
    t.deepEqual(await heard.take(1), ['reply-misdirected']);
  }
  t.deepEqual(asked, []);
});
