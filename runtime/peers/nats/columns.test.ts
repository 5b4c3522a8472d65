import test from 'ava';
import type { NatsServer } from '../../nats/server.ts';
import type { InboundOffer } from '../peers.ts';
import {
  approvedOffer,
  digest,
  makeSample,
  type Node,
  receiptFor,
  receive,
  replicate,
  startNode,
  startServer,
  until,
} from '../testing/peers.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
let server: NatsServer;
let primary: Node;
let secondary: Node;

test.before(async () => {
  server = await startServer();
  primary = await startNode(server.url, 1);
  secondary = await startNode(server.url, 2);
});

test.after.always(async () => {
  await primary?.close();
  await secondary?.close();
  await server?.stop();
});

test.serial('a column of many segments arrives whole, and its receipt comes back', async (t) => {
  const sample = makeSample(41 * MIB + 13, 7 * MIB + 1);
  const offer = await approvedOffer(1, sample, 2);
  const receiving = nextOffer().then((held) => receive(held));
  const receipt = await replicate(primary, offer, sample);
  t.is(digest(await receiving), digest(sample.pieces));
  t.is((await receiving).length, 6);
  t.like(receipt, { spId: 2, gvgId: 77, redundancyIndex: 0, integrityHash: digest(sample.pieces) });
});

test.serial('a small column is sent within its offer', async (t) => {
  const onTheWire = secondary.peers.subscribe('session.2.1.*.piece', { callback: () => t.fail() });
  const sample = makeSample(200 * KIB + 1, 64 * KIB);
  const offer = await approvedOffer(1, sample, 2);
  const receiving = nextOffer().then((held) => receive(held));
  await replicate(primary, offer, sample);
  t.is(digest(await receiving), digest(sample.pieces));
  onTheWire.unsubscribe();
});

test.serial('a small column is read from the first missing segment on', async (t) => {
  const sample = makeSample(200 * KIB + 1, 64 * KIB);
  const offer = await approvedOffer(1, sample, 2);
  const receiving = nextOffer().then((held) => receive(held, 2));
  await replicate(primary, offer, sample);
  t.deepEqual((await receiving).map(digestOne), sample.pieces.slice(2).map(digestOne));
});

test.serial('an interrupted column resumes at the first missing piece', async (t) => {
  const sample = makeSample(20 * MIB + 1, 4 * MIB);
  const offer = await approvedOffer(1, sample, 2);
  const first = nextOffer().then(async (held) => {
    const session = await held.accept(0);
    for await (const { segmentIndex, bytes } of session.pieces()) {
      if (segmentIndex === 2) session.close();
      for await (const _ of bytes);
    }
  });
  await t.throwsAsync(replicate(primary, offer, sample), { name: 'Retryable', code: 'session-aborted' });
  await t.throwsAsync(first, { name: 'Cancelled', code: 'session-closed' });

  const session = primary.client.open(offer, {});
  const rest = nextOffer().then((held) => receive(held, 2));
  t.is((await session).firstMissing, 2);
  for (const segmentIndex of [2, 3, 4, 5]) {
    await (await session).send({ segmentIndex, bytes: sample.pieces[segmentIndex] as Uint8Array });
  }
  await (await session).done(sample.checksums);
  t.deepEqual((await rest).map(digestOne), sample.pieces.slice(2).map(digestOne));
});

test.serial('a column that the secondary has completely needs only its done message', async (t) => {
  const sample = makeSample(9 * MIB, 4 * MIB);
  const offer = await approvedOffer(1, sample, 2);
  const receiving = nextOffer().then((held) => receive(held, 3));
  await replicate(primary, offer, sample);
  t.deepEqual(await receiving, []);
});

test.serial('a finished column gets its receipt', async (t) => {
  const sample = makeSample(9 * MIB, 4 * MIB);
  const offer = await approvedOffer(1, sample, 2);
  const answering = nextOffer().then((held) => held.receipt(receiptFor(held.offer, digest(sample.pieces))));
  const session = await primary.client.open(offer, {});
  await answering;
  t.is(session.firstMissing, sample.pieces.length);
  t.is((await session.done(sample.checksums)).integrityHash, digest(sample.pieces));
});

test.serial('a restarted primary finds the receipt that arrived while it was down', async (t) => {
  const sample = makeSample(9 * MIB, 4 * MIB);
  const before = await startNode(server.url, 1);
  const offer = await approvedOffer(1, sample, 2);
  const held = nextOffer();
  const session = await whenBoth(before.client.open(offer, {}), (await held).accept(0));
  await before.vanish();
  await (await held).receipt(receiptFor(offer, sample.checksums[1] as string));
  session.close();

  const back = await primary.client.open(offer, {});
  t.is(back.firstMissing, sample.pieces.length);
  t.is((await back.done(sample.checksums)).integrityHash, digest(sample.pieces));
});

test.serial('a receipt for other bytes is rejected', async (t) => {
  const sample = makeSample(9 * MIB, 4 * MIB);
  const offer = await approvedOffer(1, sample, 2);
  const wrong = nextOffer().then((held) => held.receipt(receiptFor(offer, '00'.repeat(32))));
  await (await primary.client.open(offer, {})).done(sample.checksums);
  await wrong;
  const receiving = nextOffer().then((held) => receive(held));
  const receipt = await replicate(primary, offer, sample);
  t.is(receipt.integrityHash, digest(await receiving));
});

test.serial('a receipt for other content with the same column is rejected', async (t) => {
  const sample = makeSample(9 * MIB, 4 * MIB);
  const offer = await approvedOffer(1, sample, 2);
  const announcedAgain = { ...offer, checksums: offer.checksums.with(6, '66'.repeat(32)) };
  const first = nextOffer().then((held) => receive(held));
  await replicate(primary, offer, sample);
  await first;
  const second = nextOffer().then((held) => receive(held));
  const receipt = await replicate(primary, announcedAgain, sample);
  await second;
  t.deepEqual(receipt, receiptFor(announcedAgain, digest(sample.pieces)));
});

test.serial('a refused offer carries the reason and whether to retry', async (t) => {
  const offer = await approvedOffer(1, makeSample(9 * MIB, 4 * MIB), 2);
  for (const [again, name] of [
    [true, 'Retryable'],
    [false, 'Terminal'],
  ] as const) {
    const refusing = nextOffer().then((held) => held.refuse({ code: 'disk-full', reason: 'no room', again }));
    await t.throwsAsync(primary.client.open(offer, {}), { name, code: 'offer-refused', message: /no room/ });
    await refusing;
  }
});

test.serial('a secondary may refuse the receipt after it has checked the bytes', async (t) => {
  const sample = makeSample(9 * MIB, 4 * MIB);
  const offer = await approvedOffer(1, sample, 2);
  const refusing = nextOffer().then(async (held) => {
    const session = await held.accept(0);
    for await (const piece of session.pieces()) for await (const _ of piece.bytes);
    await session.done();
    await held.refuse({ code: 'wrong-hash', reason: 'not the bytes of the chain', again: false });
  });
  await t.throwsAsync(replicate(primary, offer, sample), {
    name: 'Terminal',
    code: 'receipt-refused',
    message: /not the bytes/,
  });
  await refusing;
});

test.serial('an offer without our approval for the same group and index is refused', async (t) => {
  const offer = await approvedOffer(1, makeSample(9 * MIB, 4 * MIB), 2);
  const other = await approvedOffer(1, makeSample(9 * MIB, 4 * MIB), 2);
  const none = nextOffer();
  for (const bad of [
    { ...offer, approval: other.approval },
    { ...offer, redundancyIndex: 1 },
    { ...offer, gvgId: 78 },
    { ...offer, approval: Buffer.from('yes').toString('base64') },
  ]) {
    await t.throwsAsync(primary.client.open(bad, {}), { name: 'Retryable', code: 'offer-refused' });
  }
  // The reader of offers saw none of them; it sees the good one.
  const session = primary.client.open(offer, {});
  t.is((await none).offer.approval, offer.approval);
  await (await none).accept(0);
  (await session).close();
  await drop(await none);
});

test.serial('a repeated offer replaces the previous one', async (t) => {
  const sample = makeSample(9 * MIB, 4 * MIB);
  const offer = await approvedOffer(1, sample, 2);
  const held: InboundOffer[] = [];
  const reading = new AbortController();
  const both = (async () => {
    for await (const next of secondary.host.offers({ limit: 100, signal: reading.signal })) {
      if (held.push(next) === 2) return;
    }
  })();
  const first = primary.client.open(offer, {});
  await until(() => held.length === 1);
  const stale = await whenBoth(held[0]?.accept(0), first);
  const failed = t.throwsAsync(stale?.done() as Promise<unknown>, {
    name: 'Cancelled',
    code: 'session-settled',
  });
  const second = replicate(primary, offer, sample);
  await both;
  await failed;
  await held[0]?.postpone(0);
  t.is(digest(await receive(held[1] as InboundOffer)), digest(sample.pieces));
  await second;
  (await first).close();
});

test.serial(
  'pieces out of order, of wrong length, or too few are refused before they are sent',
  async (t) => {
    const sample = makeSample(9 * MIB, 4 * MIB);
    const offer = await approvedOffer(1, sample, 2);
    const held = nextOffer();
    const session = await whenBoth(
      primary.client.open(offer, {}),
      held.then((it) => it.accept(0)),
    );
    const [first, second] = sample.pieces as [Uint8Array, Uint8Array];
    const wrong = { name: 'Terminal', code: 'wrong-piece' };
    await t.throwsAsync(session.send({ segmentIndex: 1, bytes: second }), wrong);
    await t.throwsAsync(session.send({ segmentIndex: 0, bytes: first.subarray(1) }), wrong);
    await t.throwsAsync(session.done(sample.checksums), { name: 'Terminal', code: 'column-incomplete' });
    session.close();
    await drop(await held);
  },
);

test.serial('offers that nobody receives are a retryable error', async (t) => {
  const hurried = await startNode(server.url, 1, { times: { offer: 300 } });
  const offer = await approvedOffer(1, makeSample(9 * MIB, 4 * MIB), 2);
  await t.throwsAsync(hurried.client.open(offer, {}), { name: 'Retryable', code: 'peer-unreachable' });
  // SP 7 never made its mailbox
  await t.throwsAsync(hurried.client.open({ ...offer, to: 7 }, {}), {
    name: 'Retryable',
    code: 'peer-unreachable',
  });
  await hurried.close();
  // The offer was given up; whoever takes it later gets an error, and the offer is removed.
  await t.throwsAsync((await nextOffer()).accept(0), { name: 'Retryable', code: 'offer-withdrawn' });
});

test.serial('an aborted open, send or done ends at once', async (t) => {
  const sample = makeSample(9 * MIB, 4 * MIB);
  const offer = await approvedOffer(1, sample, 2);
  const abort = (ms: number) => ({ signal: AbortSignal.timeout(ms) });
  await t.throwsAsync(primary.client.open(offer, abort(50)), { name: 'Cancelled' });
  const withdrawn = await nextOffer();
  await t.throwsAsync(withdrawn.accept(0), { code: 'offer-withdrawn' });

  const held = nextOffer();
  const session = await whenBoth(
    primary.client.open(offer, {}),
    held.then((it) => it.accept(1)),
  );
  await session.send({ segmentIndex: 1, bytes: sample.pieces[1] as Uint8Array });
  await session.send({ segmentIndex: 2, bytes: sample.pieces[2] as Uint8Array });
  await t.throwsAsync(session.done(sample.checksums, abort(50)), { name: 'Cancelled' });
  session.close();

  // Nobody reads: a piece that is larger than the credit of its stream is on its way until it is aborted.
  const large = makeSample(48 * MIB, 24 * MIB);
  const second = await approvedOffer(1, large, 2);
  const again = await whenBoth(
    primary.client.open(second, {}),
    nextOffer().then((it) => it.accept(0)),
  );
  const sending = again.send({ segmentIndex: 0, bytes: large.pieces[0] as Uint8Array }, abort(50));
  await t.throwsAsync(sending, { name: 'Cancelled' });
  const next = { segmentIndex: 1, bytes: large.pieces[1] as Uint8Array };
  await t.throwsAsync(again.send(next), { name: 'Cancelled' }, 'the stream ended in the middle of a piece');
  again.close();
});

test.serial('closing the adapter ends its sessions', async (t) => {
  const sample = makeSample(9 * MIB, 4 * MIB);
  const leaving = await startNode(server.url, 1);
  const offer = await approvedOffer(1, sample, 2);
  const held = nextOffer();
  const inbound = held.then((it) => it.accept(0));
  const session = await leaving.client.open(offer, {});
  const done = session.send({ segmentIndex: 0, bytes: sample.pieces[0] as Uint8Array });
  await done;
  const reader = (await inbound).pieces()[Symbol.asyncIterator]();
  await reader.next();
  const waiting = (await inbound).done();
  await leaving.close();
  await leaving.close();
  await t.throwsAsync(waiting, { name: 'Retryable', code: 'session-aborted' });
  await t.throwsAsync(session.done(sample.checksums), { code: 'column-incomplete' });
  await t.throwsAsync(leaving.client.open(offer, {}), { name: 'Cancelled', code: 'peers-closed' });
  await drop(await held);
});

/** The next offer out of the secondary's mailbox. */
async function nextOffer(node = secondary): Promise<InboundOffer> {
  const signal = new AbortController().signal;
  for await (const held of node.host.offers({ limit: 100, signal })) return held;
  throw new Error('no offer');
}

/** Takes an offer out of the mailbox for good. */
function drop(held: InboundOffer): Promise<void> {
  return held.refuse({ code: 'dropped', reason: 'the test is over', again: false });
}

/** Waits for both. @returns the result of the first */
async function whenBoth<A>(wanted: A | Promise<A>, other: unknown): Promise<A> {
  const [result] = await Promise.all([wanted, other]);
  return result;
}

function digestOne(bytes: Uint8Array): string {
  return digest([bytes]);
}
