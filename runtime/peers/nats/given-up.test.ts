import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { LeaseBook } from '../../jobs/lease-book.ts';
import { takeBackLeases } from '../../jobs/take-back.ts';
import { silentLogger as log } from '../../telemetry/logger.ts';
import type { ReplicationSession } from '../peers.ts';
import {
  approvedOffer,
  digest,
  joinHome,
  makeSample,
  receive,
  replicate,
  startNode,
  until,
} from '../testing/peers.ts';
import { bigSample, drain, nextOffer, open, sendAll, stopsAt, usePlane } from '../testing/plane.ts';
import { FLOW_LIMITS } from './limits.ts';
import { pieceHeaders } from './session/session-wire.ts';

const MIB = 1024 * 1024;
const never = new AbortController().signal;
const plane = usePlane(test);

test.serial('a receiver that reads nothing is given up, an idle session is not', async (t) => {
  const times = { stall: 600 };
  const [primary, slow] = [await plane.start(1, times), await plane.start(2)];
  const sample = bigSample();
  const { session, inbound } = await open(primary, slow, sample);
  const idle = await open(primary, slow, bigSample());
  await t.throwsAsync(sendAll(session, sample), { name: 'Retryable', code: 'peer-stalled' });
  await t.throwsAsync(inbound.done(), {
    name: 'Retryable',
    code: 'session-aborted',
    message: /peer-stalled/,
  });
  await t.throwsAsync(drain(inbound), { code: 'session-aborted' });
  await Promise.all([sendAll(idle.session, idle.sample), drain(idle.inbound)]);
  idle.session.close();
});

test.serial('a receiver that was killed has its offers back at once when it starts again', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-offers-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  // So long that the test would hang if it were waited for.
  const times = { ackWait: 600_000 };
  const before = await LeaseBook.open({ directory, log });
  const killed = await startNode(plane.url, 2, { times, notes: before });
  const primary = await plane.start(1);
  const sample = makeSample(2 * MIB, MIB);
  const replicating = replicate(primary, await approvedOffer(1, sample, 2), sample);
  await nextOffer(killed);
  await before.close();
  await killed.vanish();

  const notes = await LeaseBook.open({ directory, log });
  const home = await joinHome(plane.url, 2);
  plane.closeAfterwards(home);
  await takeBackLeases(notes, { connection: home, log });
  const restarted = await startNode(plane.url, 2, { times, notes });
  plane.closeAfterwards(restarted);
  await receive(await nextOffer(restarted));
  t.is((await replicating).integrityHash, digest(sample.pieces));
  await restarted.close();
  await notes.close();
  const after = await LeaseBook.open({ directory, log });
  plane.closeAfterwards(after);
  t.is(await after.takeBack(async () => undefined), 0, 'it was completed');
});

test.serial('idle sessions of several SPs do not exclude another SP', async (t) => {
  const [honest, secondary] = [await plane.start(1), await plane.start(2)];
  const taking = (async () => {
    for await (const held of secondary.host.offers({ limit: 4, signal: never })) {
      void receive(held).catch(() => undefined);
    }
  })();
  const idle: Promise<ReplicationSession>[] = [];
  for (const spId of [3, 4, 5, 6]) {
    const idler = await plane.start(spId);
    for (let i = 0; i < 16; i++) {
      const offer = await approvedOffer(spId, makeSample(MIB, MIB), 2);
      const opening = idler.client.open(offer, {});
      opening.catch(() => undefined);
      idle.push(opening);
    }
    // the first of each has its place
    await Promise.race(idle.slice(-16));
  }
  for (let i = 0; i < 3; i++) {
    const sample = makeSample(9 * MIB, 4 * MIB);
    const receipt = await replicate(honest, await approvedOffer(1, sample, 2), sample);
    t.is(receipt.integrityHash, digest(sample.pieces));
  }
  await secondary.close();
  await taking;
});

test.serial('a session whose sender brings almost no bytes ends', async (t) => {
  const secondary = await plane.start(2, { stall: 600, idle: 1_500 });
  const rogue = await plane.tap(3);
  const listener = await plane.tap(2);
  const ends: string[] = [];
  listener.subscribe('session.2.3.*.demand', {
    callback: (_, { subject }) => void ends.push(subject.replace(/\.demand$/, '')),
  });
  await listener.flush();
  const sender = await plane.start(3, { stall: 600 });
  const idle = await open(sender, secondary, bigSample());
  await t.throwsAsync(drain(idle.inbound), { name: 'Retryable', code: 'peer-idle' });
  const known = ends.length;
  const slow = await open(sender, secondary, bigSample());
  await until(() => ends.length > known && ends.at(-1) !== ends[0]);
  const subject = ends.at(-1) as string;
  let at = 0;
  const trickle = setInterval(() => {
    rogue.publish(`${subject}.demand`, JSON.stringify({ want: MIB, sent: at }));
    rogue.publish(`${subject}.piece`, 'x', { headers: pieceHeaders(at) });
    at += 1;
  }, 100);
  await t.throwsAsync(drain(slow.inbound), { name: 'Retryable', code: 'peer-too-slow' });
  clearInterval(trickle);
});

test.serial('a sender that vanishes is given up', async (t) => {
  const [primary, secondary] = [await plane.start(1), await plane.start(2, { stall: 600 })];
  const sample = bigSample();
  const { inbound } = await open(primary, secondary, sample);
  await primary.peers.close();
  await t.throwsAsync(drain(inbound), { name: 'Retryable', code: 'peer-stalled' });
});

test.serial('lost bytes, or bytes without credit, end the session for a retry', async (t) => {
  const [primary, secondary] = [await plane.start(1), await plane.start(2)];
  const rogue = await plane.tap(1);
  const cases: [string, (subject: string) => void][] = [
    [
      'bytes-lost',
      (subject) => rogue.publish(`${subject}.piece`, 'x', { headers: pieceHeaders(4 * MIB + 1) }),
    ],
    ['empty-piece', (subject) => rogue.publish(`${subject}.piece`, '', { headers: pieceHeaders(4 * MIB) })],
    [
      'peer-idle',
      (subject) => {
        const demand = JSON.stringify({ want: 6 * MIB, sent: 4 * MIB });
        for (let i = 0; i <= 1_000; i++) rogue.publish(`${subject}.demand`, demand);
      },
    ],
    [
      'credit-exceeded',
      (subject) => rogue.publish(`${subject}.piece`, 'x', { headers: pieceHeaders(4 * MIB) }),
    ],
    ['bytes-lost', (subject) => rogue.publish(`${subject}.demand`, '{"want":5000000,"sent":5000000}')],
    ['column-too-long', (subject) => rogue.publish(`${subject}.demand`, '{"want":7000000,"sent":0}')],
  ];
  for (const [code, say] of cases) {
    const sample = bigSample();
    const arrived = await plane.countPieces(2);
    const { session, inbound } = await open(primary, secondary, sample);
    const sending = sendAll(session, sample);
    sending.catch(() => undefined);
    await stopsAt(t, arrived, FLOW_LIMITS.creditPerStream);
    say(arrived.subject);
    await t.throwsAsync(inbound.done(), { name: 'Retryable', code });
    await t.throwsAsync(sending, { name: 'Retryable', code: 'session-aborted', message: new RegExp(code) });
    session.close();
  }
});
