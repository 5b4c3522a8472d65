import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import test from 'ava';
import { patient } from '#runtime/nats/patient';
import { peersInbox } from '../../nats/accounts.ts';
import type { NatsServer } from '../../nats/server.ts';
import type { Logger } from '../../telemetry/logger.ts';
import {
  approveAll,
  approvedOffer,
  codecOf,
  digest,
  joinPlane,
  makeSample,
  type Node,
  receiptFor,
  receive,
  replicate,
  startNode,
  startServer,
  until,
} from '../testing/peers.ts';

/** SP 1 is an honest primary, SP 2 a secondary, and SP 3 sends as much as the server lets it. */
const KIB = 1024;
const MIB = 1024 * KIB;
let server: NatsServer;
let primary: Node;
let secondary: Node;
let rogue: NatsConnection;
let written = 0;
const count = (fields: object, message: string) => {
  written += JSON.stringify({ ...fields, message }).length;
};
const log: Logger = { debug: count, info: count, warn: count, error: count, child: () => log };

test.beforeEach(async () => {
  written = 0;
  server = await startServer();
  primary = await startNode(server.url, 1, { log });
  secondary = await startNode(server.url, 2, { log });
  rogue = await joinPlane(server.url, 3);
});

test.afterEach.always(async () => {
  await rogue?.close();
  await primary?.close();
  await secondary?.close();
  await server?.stop();
});

test.serial('messages of one SP, however many and large, do not displace those of others', async (t) => {
  const manager = await jetstreamManager(patient(secondary.home));
  const sample = makeSample(9 * MIB, 4 * MIB);
  const opening = primary.client.open(await approvedOffer(1, sample, 2), {});
  opening.catch(() => undefined);
  const about = { job: sample.ask.job, gvgId: 77, redundancyIndex: 0 };
  const receipt = await codecOf(1).seal({
    kind: 'receipt',
    to: 2,
    about,
    expiresAt: Date.now() + 60_000,
    body: { re: '00'.repeat(16), ...justReceipt(await approvedOffer(1, sample, 2)) },
  });
  await primary.peers.request(`peer.2.receipt.1.${about.job.objectId}.0.0`, receipt.bytes);
  await until(async () => (await manager.streams.info('OFFERS_1')).state.messages === 1);

  for (const size of [1_000 * KIB, 100 * KIB, 10 * KIB]) {
    const body = Buffer.alloc(size);
    for (let i = 0; i < 300; i++) {
      for (const kind of ['offer', 'receipt']) rogue.publish(`peer.2.${kind}.3.${size}${i}.0.0`, body);
      if (i % 20 === 0) await rogue.flush();
    }
  }
  await rogue.flush();
  // a message of megabytes rests nowhere
  await t.throwsAsync(ackOf(rogue, 'peer.2.offer.3.1.0.0', 1_000 * KIB), { message: /message size exceeds/ });
  t.is((await manager.streams.info('OFFERS_1')).state.messages, 1);
  t.is((await manager.streams.info('RECEIPTS_1')).state.messages, 1);
  for (const name of ['OFFERS_3', 'RECEIPTS_3']) {
    const { bytes } = (await manager.streams.info(name)).state;
    t.true(bytes <= 16 * MIB, `${name} has ${bytes} bytes`);
  }
});

test.serial('a flood of invalid messages from one SP neither delays another nor fills the log', async (t) => {
  const stop = new AbortController();
  await approveAll(secondary, stop.signal);
  const taking = (async () => {
    for await (const held of secondary.host.offers({ limit: 8, signal: stop.signal })) {
      await receive(held).catch(() => undefined);
    }
  })();
  for (let i = 0; i < 20_000; i++) {
    rogue.publish(`peer.2.offer.3.${i}.0.0`, '');
    rogue.publish('approval.ask.3', 'x', { reply: `${peersInbox(3)}.x` });
    rogue.publish(`recovery.2.3`, 'x', { reply: `${peersInbox(3)}.x` });
    rogue.publish(`peer.2.receipt.3.${i}.0.0`, 'x');
    if (i % 1_000 === 0) await rogue.flush();
  }
  await rogue.flush();
  for (const size of [300, 9 * MIB]) {
    const sample = makeSample(size, 4 * MIB, [2]);
    let approved = 0;
    for await (const _ of primary.client.ask(sample.ask, { timeoutMs: 60_000 })) approved += 1;
    t.is(approved, 1);
    const receipt = await replicate(primary, await approvedOffer(1, sample, 2), sample);
    t.is(receipt.integrityHash, digest(sample.pieces));
  }
  const left = await (await jetstreamManager(patient(secondary.home))).streams.info('OFFERS_3');
  t.true(left.state.messages > 1_000, 'the honest column did not wait for the rubbish');
  t.true(written < 6 * KIB, `${written} bytes of log`);
  stop.abort();
  await taking;
});

test.serial('a secondary that answers with invalid messages delays no column to another', async (t) => {
  const mailbox = await startNode(server.url, 3);
  const taking = (async () => {
    const { signal } = new AbortController();
    for await (const held of secondary.host.offers({ limit: 8, signal })) return receive(held);
    throw new Error('no offer');
  })();
  const bad = makeSample(9 * MIB, 4 * MIB, [3, 2]);
  const opening = primary.client.open(await approvedOffer(1, bad, 3), {});
  opening.catch(() => undefined);
  const manager = await jetstreamManager(patient(mailbox.home));
  await until(async () => (await manager.streams.info('OFFERS_1')).state.messages === 1);
  const offer = (await manager.streams.getMessage('OFFERS_1', { seq: 1 }))?.json<{
    body: { token: string };
  }>();
  // long enough to be read, and signed by nobody
  const forged = await codecOf(3, { chainId: 'greenfield_1-1' }).seal({
    kind: 'receipt',
    to: 1,
    about: { job: bad.ask.job, gvgId: 77, redundancyIndex: 0 },
    expiresAt: Date.now() + 60_000,
    body: { re: '00'.repeat(16), ...justReceipt(await approvedOffer(1, bad, 3)) },
  });
  for (let i = 0; i < 10_000; i++) {
    rogue.publish(`session.1.3.${offer?.body.token}.answer`, forged.bytes, { reply: `${peersInbox(3)}.x` });
    rogue.publish(`peer.1.receipt.3.${bad.ask.job.objectId}.0.0`, forged.bytes);
    if (i % 1_000 === 0) await rogue.flush();
  }
  const good = makeSample(9 * MIB, 4 * MIB);
  const receipt = await replicate(primary, await approvedOffer(1, good, 2), good);
  t.is(receipt.integrityHash, digest(good.pieces));
  t.true(written < 6 * KIB, `${written} bytes of log`);
  await taking;
  await mailbox.close();
});

async function ackOf(connection: NatsConnection, subject: string, size: number): Promise<void> {
  const ack = (await connection.request(subject, Buffer.alloc(size))).json<{
    readonly error?: { readonly description: string };
  }>();
  if (ack.error) throw new Error(ack.error.description);
}

function justReceipt(offer: Awaited<ReturnType<typeof approvedOffer>>) {
  const { integrityHash, approvalSignature, blsSignature } = receiptFor(offer, '00'.repeat(32));
  return { integrityHash, approvalSignature, blsSignature };
}
