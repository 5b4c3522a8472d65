import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import test from 'ava';
import { patient } from '#runtime/nats/patient';
import { type NatsServer, startNatsServer } from '#runtime/nats/server';
import type { InboundOffer, ReplicationSession } from '../../peers.ts';
import {
  approvedOffer,
  digest,
  makeSample,
  type Node,
  receiptFor,
  receive,
  replicate,
  SERVER_CONFIG,
  startNode,
  startServer,
} from '../../testing/peers.ts';
import type { PeerTimes } from '../context.ts';

const MIB = 1024 * 1024;
const never = new AbortController().signal;
let server: NatsServer;
const opened: Node[] = [];

test.beforeEach(async () => {
  server = await startServer();
});

test.afterEach.always(async () => {
  for (const node of opened.splice(0)) await node.close();
  await server.stop();
});

test.serial('an offer whose node dies goes to another node, and stays with a live one', async (t) => {
  const times = { ackWait: 600 };
  const [primary, dying] = [await start(1), await start(2, times)];
  const sample = makeSample(9 * MIB, 4 * MIB);
  const opening = primary.client.open(await approvedOffer(1, sample, 2), {});
  await nextOffer(dying);
  await dying.vanish();

  const living = await start(2, times);
  const third = await start(2, times);
  const held = await nextOffer(living);
  let again = 0;
  const waiting = (async () => {
    for await (const _ of third.host.offers({ limit: 1, signal: never })) again += 1;
  })();
  await sleep(3 * times.ackWait);
  t.is(again, 0);
  const receiving = receive(held);
  const session = await opening;
  await sendAll(session, sample.pieces);
  t.is((await session.done(sample.checksums)).integrityHash, digest(await receiving));
  await third.close();
  await waiting;
});

test.serial('a node that stops cleanly returns its offers at once', async (t) => {
  const [primary, leaving, staying] = [await start(1), await start(2), await start(2)];
  const sample = makeSample(9 * MIB, 4 * MIB);
  const offer = await approvedOffer(1, sample, 2);
  const opening = primary.client.open(offer, {});
  await nextOffer(leaving);
  const elsewhere = nextOffer(staying);
  await leaving.close();
  t.deepEqual((await elsewhere).offer, offer);
  await (await elsewhere).accept(0);
  (await opening).close();
});

test.serial('a postponed offer is delivered again, and its primary keeps waiting', async (t) => {
  const [primary, secondary] = [await start(1), await start(2)];
  const sample = makeSample(9 * MIB, 4 * MIB);
  const replicating = replicate(primary, await approvedOffer(1, sample, 2), sample);
  await (await nextOffer(secondary)).postpone(100);
  t.is(digest(await receive(await nextOffer(secondary))), digest(sample.pieces));
  await replicating;
});

test.serial('a sender has no more open offers than its share', async (t) => {
  const [primary, secondary] = [await start(1), await start(2)];
  const samples = [1, 2, 3].map(() => makeSample(9 * MIB, 4 * MIB));
  const open = samples.map(async (sample) => primary.client.open(await approvedOffer(1, sample, 2), {}));
  const taken: InboundOffer[] = [];
  const taking = (async () => {
    for await (const held of secondary.host.offers({ limit: 8, signal: never })) {
      if (taken.push(held) === 3) break;
    }
  })();
  await sleep(500);
  t.is(taken.length, 2);
  for (const held of [...taken])
    await held.receipt(receiptFor(held.offer, held.offer.checksums[1] as string));
  await taking;
  await taken[2]?.receipt(receiptFor(taken[2].offer, taken[2].offer.checksums[1] as string));
  for (const session of open) (await session).close();
});

test.serial('a lost mailbox is created again', async (t) => {
  const [primary, secondary] = [await start(1), await start(2)];
  const sample = makeSample(300, 300);
  const offer = await approvedOffer(1, sample, 2);
  const held = nextOffer(secondary);
  await sleep(200);
  const manager = await jetstreamManager(patient(secondary.home));
  await manager.streams.delete('OFFERS_1');
  const replicating = untilDone(() => replicate(primary, offer, sample));
  t.is(digest(await receive(await held)), digest(sample.pieces));
  t.is((await replicating).integrityHash, digest(sample.pieces));
});

test.serial('each node of a primary receives the receipts it waits for', async (t) => {
  const [one, two, secondary] = [await start(1), await start(1), await start(2)];
  const samples = Array.from({ length: 10 }, () => makeSample(300, 300));
  const receiving = (async () => {
    const received: Promise<unknown>[] = [];
    for await (const held of secondary.host.offers({ limit: 100, signal: never })) {
      if (received.push(receive(held)) === samples.length) break;
    }
    await Promise.all(received);
  })();
  const receipts = await Promise.all(
    samples.map(async (sample, i) => replicate(i % 2 ? one : two, await approvedOffer(1, sample, 2), sample)),
  );
  await receiving;
  t.deepEqual(
    receipts.map(({ integrityHash }) => integrityHash),
    samples.map(({ pieces }) => digest(pieces)),
  );
});

test.serial('a receipt sent during a restart of the server still arrives', async (t) => {
  const storeDir = await mkdtemp(join(tmpdir(), 'sealion-peers-'));
  const first = await startNatsServer({ config: SERVER_CONFIG, storeDir });
  const [primary, secondary] = [await startNode(first.url, 1), await startNode(first.url, 2)];
  const sample = makeSample(9 * MIB, 4 * MIB);
  const opening = primary.client.open(await approvedOffer(1, sample, 2), {});
  const held = await nextOffer(secondary);
  const inbound = await held.accept(3);
  const done = (await opening).done(sample.checksums);
  await inbound.done();
  await first.kill();
  const second = await startNatsServer({ config: SERVER_CONFIG, storeDir, port: first.port });
  await untilDone(() => held.receipt(receiptFor(held.offer, digest(sample.pieces))));
  t.is((await done).integrityHash, digest(sample.pieces));
  await primary.close();
  await secondary.close();
  await second.stop();
  await rm(storeDir, { recursive: true });
});

async function start(spId: number, times: Partial<PeerTimes> = {}): Promise<Node> {
  const node = await startNode(server.url, spId, { times });
  opened.push(node);
  return node;
}

async function nextOffer(node: Node): Promise<InboundOffer> {
  for await (const held of node.host.offers({ limit: 100, signal: never })) return held;
  throw new Error('no offer');
}

async function sendAll(session: ReplicationSession, pieces: readonly Uint8Array[]): Promise<void> {
  for (const [segmentIndex, bytes] of pieces.entries()) await session.send({ segmentIndex, bytes });
}

/** As the actors do with what may be tried again. */
async function untilDone<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (tries === 50) throw error;
      await sleep(200);
    }
  }
}
