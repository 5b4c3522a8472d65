import type { NatsConnection } from '@nats-io/nats-core';
import test from 'ava';
import { type Letter, sealBundle } from '#protocols/replication/bundle';
import type { NatsServer } from '../../../nats/server.ts';
import type { ColumnOffer, InboundOffer } from '../../peers.ts';
import {
  approvedOffer,
  CHAIN_ID,
  type Codes,
  digest,
  joinPlane,
  keepCodes,
  makeSample,
  type Node,
  operatorKey,
  receiptFor,
  receive,
  replicate,
  type Sample,
  startNode,
  startServer,
  until,
} from '../../testing/peers.ts';
import { newToken } from '../subjects.ts';

/** SP 1 is a primary, SP 2 a secondary, and SP 3 says whatever it likes, as far as the server lets it. */
let server: NatsServer;
let primary: Node;
let secondary: Node;
let rogue: NatsConnection;
let heardBy2: Codes;
const CHANNEL = 'session.2.1.columns.bundle';

test.beforeEach(async () => {
  server = await startServer();
  heardBy2 = keepCodes();
  const times = { offer: 6_000 };
  primary = await startNode(server.url, 1, { times });
  secondary = await startNode(server.url, 2, { log: heardBy2.log });
  rogue = await joinPlane(server.url, 3);
});

test.afterEach.always(async () => {
  await rogue?.close();
  await primary?.close();
  await secondary?.close();
  await server?.stop();
});

test.serial('a small column is one message there and one back, without a word by mail', async (t) => {
  const [sample, offer] = await small();
  const there = primary.peers.subscribe('session.1.>');
  const back = await joinPlane(server.url, 2);
  const heard = back.subscribe('session.2.>');
  const mail = secondary.home.subscribe('peer.2.>');
  await Promise.all([back.flush(), secondary.home.flush(), primary.peers.flush()]);
  const stop = takeAll();
  await secondary.peers.flush();
  const receipt = await replicate(primary, offer, sample);
  t.deepEqual(receipt, receiptFor(offer, digest(sample.pieces)));
  await Promise.all([primary.peers.flush(), back.flush(), secondary.home.flush()]);
  t.deepEqual([there.getReceived(), heard.getReceived(), mail.getReceived()], [1, 1, 0]);
  stop();
  await back.close();
});

test.serial('simultaneous letters to one SP share bundles', async (t) => {
  const columns = await Promise.all(Array.from({ length: 60 }, small));
  const spy = await joinPlane(server.url, 2);
  const bundles = spy.subscribe(CHANNEL);
  await spy.flush();
  const stop = takeAll(60);
  await secondary.peers.flush();
  await Promise.all(columns.map(([sample, offer]) => replicate(primary, offer, sample)));
  await spy.flush();
  t.true(bundles.getReceived() < 20, `${bundles.getReceived()} bundles`);
  stop();
  await spy.close();
});

test.serial('a column that finds nobody, or whose answer is lost, is sent again', async (t) => {
  const [sample, offer] = await small();
  const before = primary.peers.stats().outMsgs;
  const replicating = replicate(primary, offer, sample);
  // nobody takes columns yet
  await until(() => primary.peers.stats().outMsgs > before + 1);
  let seen = 0;
  const { signal, abort } = stopper();
  const taking = (async () => {
    for await (const held of secondary.host.offers({ limit: 8, signal })) {
      seen += 1;
      // a node that dies with its answer
      if (seen === 1) await held.postpone(0);
      else await receive(held);
    }
  })();
  t.is((await replicating).integrityHash, digest(sample.pieces));
  t.is(seen, 2);
  abort();
  await taking;
});

test.serial('a column that is repeated while it is being handled is not accepted twice', async (t) => {
  const [sample, offer] = await small();
  const held: InboundOffer[] = [];
  const { signal, abort } = stopper();
  const taking = (async () => {
    for await (const next of secondary.host.offers({ limit: 8, signal })) held.push(next);
  })();
  const spy = await joinPlane(server.url, 2);
  const bundles = spy.subscribe(CHANNEL);
  await spy.flush();
  const replicating = replicate(primary, offer, sample);
  await until(() => bundles.getReceived() >= 3);
  t.is(held.length, 1);
  await receive(held[0] as InboundOffer);
  await replicating;
  // what comes afterwards by another name is another offer
  const again = replicate(primary, offer, sample);
  await until(() => held.length === 2);
  await receive(held[1] as InboundOffer);
  await again;
  abort();
  await taking;
  await spy.close();
});

test.serial('a refusal says why, and whether the bytes were looked at', async (t) => {
  const [sample, offer] = await small();
  const answers: ((held: InboundOffer) => Promise<void>)[] = [
    (held) => held.refuse({ code: 'disk-full', reason: 'no room', again: true }),
    async (held) => {
      await held.accept(0);
      await held.refuse({ code: 'wrong-hash', reason: 'not the bytes of the chain', again: false });
    },
  ];
  const { signal, abort } = stopper();
  const taking = (async () => {
    for await (const held of secondary.host.offers({ limit: 8, signal })) await answers.shift()?.(held);
  })();
  const open = () => replicate(primary, offer, sample);
  await t.throwsAsync(open(), { name: 'Retryable', code: 'offer-refused', message: /no room/ });
  await t.throwsAsync(open(), { name: 'Terminal', code: 'receipt-refused', message: /not the bytes/ });
  abort();
  await taking;
});

test.serial('without our approval of this very place a column is refused unread', async (t) => {
  const [sample, offer] = await small();
  const [, other] = await small();
  const { signal, abort } = stopper();
  const taking = (async () => {
    for await (const _ of secondary.host.offers({ limit: 8, signal })) t.fail();
  })();
  for (const bad of [
    { ...offer, approval: other.approval },
    { ...offer, redundancyIndex: 1 },
    { ...offer, gvgId: 78 },
    { ...offer, approval: '' },
  ]) {
    await t.throwsAsync(replicate(primary, bad, sample), { name: 'Retryable', code: 'offer-refused' });
  }
  abort();
  await taking;
});

test.serial(
  'nobody who takes columns is an error to try again, and an aborted one is cancelled',
  async (t) => {
    const hurried = await startNode(server.url, 1, { times: { offer: 200 } });
    const [sample, offer] = await small();
    await t.throwsAsync(replicate(hurried, offer, sample), { name: 'Retryable', code: 'peer-unreachable' });
    await t.throwsAsync(
      primary.client.open(offer, { column: sample.pieces, signal: AbortSignal.timeout(50) }),
      { name: 'Cancelled' },
    );
    const opening = hurried.client.open(offer, { column: sample.pieces });
    await Promise.all([t.throwsAsync(opening, { name: 'Cancelled', code: 'peers-closed' }), hurried.close()]);
  },
);

test.serial('a bundle that a hanging server got is sent again', async (t) => {
  const [sample, offer] = await small();
  const hanging = await joinPlane(server.url, 2);
  const swallowed = hanging.subscribe(CHANNEL, { max: 1 });
  await hanging.flush();
  const replicating = replicate(primary, offer, sample);
  for await (const _ of swallowed);
  const stop = takeAll();
  t.deepEqual(await replicating, receiptFor(offer, digest(sample.pieces)));
  stop();
  await hanging.close();
});

test.serial('a bundle that comes again is confirmed, and not heard again', async (t) => {
  const [first, last] = [await small(), await small()];
  const { signal, abort } = stopper();
  const heard: string[] = [];
  const taking = (async () => {
    for await (const next of secondary.host.offers({ limit: 8, signal })) {
      heard.push(next.offer.job.objectId);
      await next.postpone(0);
    }
  })();
  await secondary.peers.flush();
  const again = await bundle([letterOf(first[1], first[0])], { from: 1, key: 1 });
  await primary.peers.request(CHANNEL, again);
  await until(() => heard.length === 1);
  await primary.peers.request(CHANNEL, again);
  await primary.peers.request(CHANNEL, await bundle([letterOf(last[1], last[0])], { from: 1, key: 1 }));
  await until(() => heard.includes(last[1].job.objectId));
  t.deepEqual(heard, [first[1].job.objectId, last[1].job.objectId]);
  abort();
  await taking;
});

test.serial('a bundle that is forged or led astray is not heard', async (t) => {
  const stop = takeAll();
  await secondary.peers.flush();
  const [sample, offer] = await small();
  const mine = 'session.2.3.columns.bundle';
  const cases: [string, Uint8Array][] = [
    ['control-wrong-signature', await bundle([letterOf(offer, sample)], { from: 3, key: 1 })],
    ['control-wrong-sender', await bundle([letterOf(offer, sample)], { from: 1, key: 1 })],
    ['control-wrong-receiver', await bundle([letterOf(offer, sample)], { from: 3, key: 3, to: 4 })],
    ['control-expired', await bundle([letterOf(offer, sample)], { from: 3, key: 3, expiresAt: Date.now() })],
    ['control-malformed', Buffer.from('take this')],
  ];
  for (const [code, bytes] of cases) {
    await t.throwsAsync(rogue.request(mine, bytes, { timeout: 200 }), undefined, code);
    t.deepEqual(await heardBy2.take(1), [code]);
  }
  const honest = await bundle([letterOf(offer, sample)], { from: 3, key: 3 });
  rogue.publish(mine, honest, { reply: 'peer.4.receipt.2.1.0.0' });
  t.deepEqual(await heardBy2.take(1), ['reply-misdirected']);
  stop();
});

test.serial('a bad letter does not affect the others in its bundle', async (t) => {
  const [sample, offer] = await small();
  const good = letterOf(offer, sample);
  const bad: [string, Letter][] = [
    ['offer-malformed', { ...good, nonce: newToken(), redundancyIndex: 9 }],
    ['offer-malformed', { ...good, nonce: newToken(), attachment: new Uint8Array(3) }],
    ['offer-malformed', longColumn(good)],
    [
      'control-wrong-kind',
      {
        ...good,
        kind: 'receipt',
        nonce: newToken(),
        body: { re: newToken(), ...justReceipt(offer) },
      } as Letter,
    ],
  ];
  const { signal, abort } = stopper();
  const held: InboundOffer[] = [];
  const taking = (async () => {
    for await (const next of secondary.host.offers({ limit: 8, signal })) held.push(next);
  })();
  const letters = [...bad.map(([, letter]) => letter), good];
  await secondary.peers.flush();
  await primary.peers.request(CHANNEL, await bundle(letters, { from: 1, key: 1 }));
  t.deepEqual(
    await heardBy2.take(4),
    bad.map(([code]) => code),
  );
  await until(() => held.length === 1);
  t.deepEqual(held[0]?.offer, { ...offer, approval: offer.approval });
  await held[0]?.postpone(0);
  abort();
  await taking;
});

test.serial('an answer counts only from the SP that was asked, and for its column', async (t) => {
  const [sample, offer] = await small();
  const spy = await joinPlane(server.url, 2);
  const asked = spy.subscribe(CHANNEL, { max: 1 });
  await spy.flush();
  const replicating = replicate(primary, offer, sample);
  let answerTo = '';
  let re = '';
  for await (const message of asked) {
    message.respond();
    answerTo = /"answer_to":"([0-9a-f]{32})"/.exec(Buffer.from(message.data).toString('latin1'))?.[1] ?? '';
    re =
      /"kind":"column","nonce":"([0-9a-f]{32})"/.exec(Buffer.from(message.data).toString('latin1'))?.[1] ??
      '';
  }
  const answerOf = (integrityHash: string, change: object = {}): Letter<'receipt'> => {
    const { approvalSignature, blsSignature } = receiptFor(offer, integrityHash);
    const { job, gvgId, redundancyIndex } = offer;
    const body = { re, integrityHash, approvalSignature, blsSignature };
    return { kind: 'receipt', nonce: newToken(), job, gvgId, redundancyIndex, body, ...change };
  };
  const wrong = answerOf('00'.repeat(32));
  const say = async (from: NatsConnection, spId: number, letters: Letter[]) => {
    await from.request(
      `session.1.${spId}.${answerTo}.bundle`,
      await bundle(letters, { from: spId, key: spId, to: 1 }),
    );
  };
  await say(rogue, 3, [wrong]);
  await say(spy, 2, [
    { ...wrong, redundancyIndex: 1 },
    { ...wrong, gvgId: 78 },
  ]);
  await say(spy, 2, [{ ...wrong, body: { ...wrong.body, re: newToken() } }]);
  await say(spy, 2, [answerOf(digest(sample.pieces))]);
  t.is((await replicating).integrityHash, digest(sample.pieces));
  // the server lets nobody speak for another
  await t.throwsAsync(say(rogue, 2, [wrong]));
  await spy.close();
});

test.serial(
  'one SP takes no more than its share, and what it sends beyond that costs others nothing',
  async (t) => {
    const held: InboundOffer[] = [];
    const { signal, abort } = stopper();
    const taking = (async () => {
      for await (const next of secondary.host.offers({ limit: 8, signal })) held.push(next);
    })();
    const greedy = await startNode(server.url, 3);
    for (let i = 0; i < 100; i++) {
      const sample = makeSample(4_000, 4_000);
      const opening = greedy.client.open(await approvedOffer(3, sample, 2), { column: sample.pieces });
      opening.catch(() => undefined);
    }
    await until(() => held.length >= 2);
    const [sample, offer] = await small();
    const replicating = replicate(primary, offer, sample);
    await until(() => held.some(({ offer: { from } }) => from === 1));
    t.is(held.filter(({ offer: { from } }) => from === 3).length, 2);
    await receive(held.find(({ offer: { from } }) => from === 1) as InboundOffer);
    t.is((await replicating).integrityHash, digest(sample.pieces));
    await greedy.close();
    abort();
    await taking;
  },
);

/** The secondary takes whatever comes. */
function takeAll(limit = 8): () => void {
  const { signal, abort } = stopper();
  void (async () => {
    for await (const held of secondary.host.offers({ limit, signal })) void receive(held);
  })();
  return abort;
}

function stopper() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

async function small(): Promise<[Sample, ColumnOffer]> {
  const sample = makeSample(4_001, 1_000);
  return [sample, await approvedOffer(1, sample, 2)];
}

function letterOf(offer: ColumnOffer, sample: Sample): Letter<'column'> {
  const { job, gvgId, redundancyIndex, from: _, to: __, checksums, ...terms } = offer;
  const body = { ...terms, checksums: [...checksums] };
  const attachment = Buffer.concat(sample.pieces);
  return { kind: 'column', nonce: newToken(), job, gvgId, redundancyIndex, body, attachment };
}

function longColumn(letter: Letter<'column'>): Letter<'column'> {
  const attachment = new Uint8Array(70_000);
  const body = { ...letter.body, payloadSize: 280_000, maxSegmentSize: 280_000 };
  return { ...letter, nonce: newToken(), body, attachment };
}

function justReceipt(offer: ColumnOffer) {
  const { integrityHash, approvalSignature, blsSignature } = receiptFor(offer, '00'.repeat(32));
  return { integrityHash, approvalSignature, blsSignature };
}

async function bundle(
  letters: readonly Letter[],
  header: { from: number; key: number; to?: number; expiresAt?: number },
): Promise<Uint8Array> {
  const { from, key, to = 2, expiresAt = Date.now() + 60_000 } = header;
  const issuedAt = Date.now() - 1;
  const answerTo = newToken();
  const whole = { chainId: CHAIN_ID, from, to, answerTo, issuedAt, expiresAt, nonce: newToken() };
  return sealBundle(whole, letters, (given) => operatorKey(key).sign(given));
}
