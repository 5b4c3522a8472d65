import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import test from 'ava';
import { type NatsServer, startNatsServer } from '../../nats/server.ts';
import type { InboundOffer, InboundSession, ReplicationSession } from '../peers.ts';
import {
  approvedOffer,
  codecOf,
  digest,
  joinPlane,
  makeSample,
  type Node,
  receive,
  replicate,
  type Sample,
  SERVER_CONFIG,
  startNode,
  startServer,
  until,
} from '../testing/peers.ts';
import type { PeerTimes } from './context.ts';
import { FLOW_LIMITS } from './limits.ts';
import { pieceHeaders } from './session/session-wire.ts';

const MIB = 1024 * 1024;
let server: NatsServer;
const never = new AbortController().signal;
const opened: { close(): Promise<void> }[] = [];

test.beforeEach(async () => {
  server = await startServer();
});

/** Nothing stalls, however slow the machine: a session that ends gives its credit to another. */
const PATIENT: Partial<PeerTimes> = { stall: 600_000, idle: 600_000, offer: 600_000 };

test.afterEach.always(async () => {
  for (const it of opened.splice(0).reverse()) await it.close();
  await server.stop();
});

test.serial('outstanding credit stays within the limits of stream, sender and connection', async (t) => {
  const secondary = await start(2, PATIENT);
  const arrived = await countPieces(2);
  const ends: ReplicationSession[] = [];
  const sessions: InboundSession[] = [];
  const send = async (primary: Node) => {
    const sample = bigSample();
    const { session, inbound } = await open(primary, secondary, sample);
    ends.push(session);
    sessions.push(inbound);
    void sendAll(session, sample).catch(() => undefined);
  };
  const first = await start(1, PATIENT);
  await send(first);
  await stopsAt(t, arrived, FLOW_LIMITS.creditPerStream);
  await send(first);
  await send(first);
  await stopsAt(t, arrived, FLOW_LIMITS.creditPerSender);
  for (const id of [3, 4, 5]) {
    const other = await start(id, PATIENT);
    for (let i = 0; i < 3; i++) await send(other);
  }
  await stopsAt(t, arrived, FLOW_LIMITS.credit);
  // One more sender than the credit is for gets its first message, and no more.
  await send(await start(6, PATIENT));
  await stopsAt(t, arrived, FLOW_LIMITS.credit + FLOW_LIMITS.pieceMessage);

  // What one reader takes out is sent again, to whoever waits.
  const reader = (sessions[0] as InboundSession).pieces()[Symbol.asyncIterator]();
  const piece = await reader.next();
  for await (const _ of piece.value.bytes);
  await stopsAt(t, arrived, FLOW_LIMITS.credit + piece.value.size);
  for (const it of ends) it.close();
  t.true(arrived.largest <= FLOW_LIMITS.pieceMessage);
});

test.serial('a sender keeps to its own limit across all objects, whatever a receiver grants', async (t) => {
  const primary = await start(1);
  const { plane, accept } = await freeHand(4);
  const arrived = await countPieces(4);
  const samples = [bigSample(), bigSample()];
  const opening = samples.map(async (sample) => primary.client.open(await approvedOffer(1, sample, 4), {}));
  const tokens = await accept(2);
  const sessions = await Promise.all(opening);
  const credit = (token: string, consumed: number) =>
    plane.publish(`session.1.4.${token}.credit`, JSON.stringify({ granted: 1024 * MIB, consumed }));
  for (const token of tokens) credit(token, 0);
  const sends = samples.map((sample, i) => sendAll(sessions[i] as ReplicationSession, sample));
  for (const sending of sends) sending.catch(() => undefined);
  await stopsAt(t, arrived, FLOW_LIMITS.inFlightPerReceiver);
  credit(tokens[0] as string, MIB);
  await stopsAt(t, arrived, FLOW_LIMITS.inFlightPerReceiver + MIB);
  // A session that ends gives its room to the other.
  sessions[0]?.close();
  sessions[1]?.close();
});

test.serial('piece messages keep below the server’s max_payload', async (t) => {
  const small = await startNatsServer({ config: `max_payload: 65536\n${SERVER_CONFIG}` });
  const [primary, secondary] = [await startNode(small.url, 1), await startNode(small.url, 2)];
  opened.push({ close: small.stop }, primary, secondary);
  const sample = makeSample(MIB, MIB);
  const receiving = nextOffer(secondary).then((held) => receive(held));
  const spy = await joinPlane(small.url, 2);
  opened.push(spy);
  let largest = 0;
  spy.subscribe('session.2.>', {
    callback: (_, message) => {
      largest = Math.max(largest, message.data.length);
    },
  });
  await spy.flush();
  await replicate(primary, await approvedOffer(1, sample, 2), sample);
  t.is(digest(await receiving), digest(sample.pieces));
  t.is(largest, 60 * 1024);
});

test.serial('many columns to one SP share its credit, and all arrive', async (t) => {
  const [primary, secondary] = [await start(1), await start(2)];
  const samples = Array.from({ length: 24 }, () => makeSample(6 * MIB + 5, 2 * MIB));
  const receiving = (async () => {
    const done: Promise<string>[] = [];
    for await (const held of secondary.host.offers({ limit: 100, signal: never })) {
      done.push(receive(held).then(digest));
      if (done.length === samples.length) break;
    }
    return Promise.all(done);
  })();
  const sending = samples.map(async (sample) =>
    replicate(primary, await approvedOffer(1, sample, 2), sample),
  );
  await Promise.all(sending);
  t.deepEqual((await receiving).sort(), samples.map(({ pieces }) => digest(pieces)).sort());
});

test.serial('an SP whose process is suspended does not delay the columns to another', async (t) => {
  const [primary, healthy] = [await start(1), await start(3)];
  const child = await startReceiver(2);
  const stuck = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const sample = bigSample();
      return { sample, session: await primary.client.open(await approvedOffer(1, sample, 2), {}) };
    }),
  );
  child.kill('SIGSTOP');
  let through = 0;
  for (const { session, sample } of stuck) {
    sendAll(session, sample).then(
      () => (through += 1),
      () => undefined,
    );
  }
  const sample = makeSample(64 * MIB, 16 * MIB, [3, 2, 4, 5, 6, 7]);
  const receiving = nextOffer(healthy).then((held) => receive(held));
  const receipt = await replicate(primary, await approvedOffer(1, sample, 3), sample);
  t.is(receipt.integrityHash, digest(await receiving));
  t.is(through, 0, 'all 16 MiB went through while not one of the stopped columns did');
  child.kill('SIGCONT');
  await until(() => through === stuck.length);
  for (const { session } of stuck) session.close();
});

test.serial('a receiver that reads nothing is given up, an idle session is not', async (t) => {
  const times = { stall: 600 };
  const [primary, slow] = [await start(1, times), await start(2)];
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

test.serial('idle sessions of several SPs do not exclude another SP', async (t) => {
  const [honest, secondary] = [await start(1), await start(2)];
  const taking = (async () => {
    for await (const held of secondary.host.offers({ limit: 4, signal: never })) {
      void receive(held).catch(() => undefined);
    }
  })();
  const idle: Promise<ReplicationSession>[] = [];
  for (const spId of [3, 4, 5, 6]) {
    const idler = await start(spId);
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
  const secondary = await start(2, { stall: 600, idle: 1_500 });
  const plane = await tap(3);
  const listener = await tap(2);
  const ends: string[] = [];
  listener.subscribe('session.2.3.*.demand', {
    callback: (_, { subject }) => void ends.push(subject.replace(/\.demand$/, '')),
  });
  await listener.flush();
  const sender = await start(3, { stall: 600 });
  const idle = await open(sender, secondary, bigSample());
  await t.throwsAsync(drain(idle.inbound), { name: 'Retryable', code: 'peer-idle' });
  const known = ends.length;
  const slow = await open(sender, secondary, bigSample());
  await until(() => ends.length > known && ends.at(-1) !== ends[0]);
  const subject = ends.at(-1) as string;
  let at = 0;
  const trickle = setInterval(() => {
    plane.publish(`${subject}.demand`, JSON.stringify({ want: MIB, sent: at }));
    plane.publish(`${subject}.piece`, 'x', { headers: pieceHeaders(at) });
    at += 1;
  }, 100);
  await t.throwsAsync(drain(slow.inbound), { name: 'Retryable', code: 'peer-too-slow' });
  clearInterval(trickle);
});

test.serial('a sender that vanishes is given up', async (t) => {
  const [primary, secondary] = [await start(1), await start(2, { stall: 600 })];
  const sample = bigSample();
  const { inbound } = await open(primary, secondary, sample);
  await primary.peers.close();
  await t.throwsAsync(drain(inbound), { name: 'Retryable', code: 'peer-stalled' });
});

test.serial('lost bytes, or bytes without credit, end the session for a retry', async (t) => {
  const [primary, secondary] = [await start(1), await start(2)];
  const plane = await tap(1);
  const cases: [string, (subject: string) => void][] = [
    [
      'bytes-lost',
      (subject) => plane.publish(`${subject}.piece`, 'x', { headers: pieceHeaders(4 * MIB + 1) }),
    ],
    ['empty-piece', (subject) => plane.publish(`${subject}.piece`, '', { headers: pieceHeaders(4 * MIB) })],
    [
      'peer-idle',
      (subject) => {
        const demand = JSON.stringify({ want: 6 * MIB, sent: 4 * MIB });
        for (let i = 0; i <= 1_000; i++) plane.publish(`${subject}.demand`, demand);
      },
    ],
    [
      'credit-exceeded',
      (subject) => plane.publish(`${subject}.piece`, 'x', { headers: pieceHeaders(4 * MIB) }),
    ],
    ['bytes-lost', (subject) => plane.publish(`${subject}.demand`, '{"want":5000000,"sent":5000000}')],
    ['column-too-long', (subject) => plane.publish(`${subject}.demand`, '{"want":7000000,"sent":0}')],
  ];
  for (const [code, say] of cases) {
    const sample = bigSample();
    const arrived = await countPieces(2);
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

type Assert = { is(actual: number, expected: number): void };

/** A node that leaves when the test ends. */
async function start(spId: number, times: Partial<PeerTimes> = {}): Promise<Node> {
  const node = await startNode(server.url, spId, { times });
  opened.push(node);
  return node;
}

async function tap(spId: number): Promise<NatsConnection> {
  const connection = await joinPlane(server.url, spId);
  opened.push(connection);
  return connection;
}

/** One piece of 6 MiB: more than a stream may hold. */
function bigSample(): Sample {
  return makeSample(24 * MIB, 24 * MIB);
}

async function open(primary: Node, secondary: Node, sample: Sample) {
  const offer = await approvedOffer(primary.spId, sample, secondary.spId);
  const accepting = nextOffer(secondary).then((held) => held.accept(0));
  const session = await primary.client.open(offer, {});
  return { sample, session, inbound: await accepting };
}

async function nextOffer(node: Node): Promise<InboundOffer> {
  for await (const held of node.host.offers({ limit: 100, signal: never })) return held;
  throw new Error('no offer');
}

async function sendAll(session: ReplicationSession, { pieces }: Sample): Promise<void> {
  for (const [segmentIndex, bytes] of pieces.entries()) await session.send({ segmentIndex, bytes });
}

async function drain(inbound: InboundSession): Promise<void> {
  for await (const piece of inbound.pieces()) for await (const _ of piece.bytes);
}

interface Arrived {
  bytes: number;
  largest: number;
  /** Of the last session heard. */
  subject: string;
}

/** What goes to an SP as pieces, seen by a second connection of it. */
async function countPieces(spId: number): Promise<Arrived> {
  const connection = await tap(spId);
  const arrived: Arrived = { bytes: 0, largest: 0, subject: '' };
  connection.subscribe(`session.${spId}.*.*.piece`, {
    callback: (_, message) => {
      arrived.bytes += message.data.length;
      arrived.largest = Math.max(arrived.largest, message.data.length);
      arrived.subject = message.subject.replace(/\.piece$/, '');
    },
  });
  await connection.flush();
  return arrived;
}

/** Waits until this many bytes have arrived, and checks that no more follow. */
async function stopsAt(t: Assert, arrived: Arrived, bytes: number): Promise<void> {
  await until(() => arrived.bytes >= bytes);
  await sleep(150);
  t.is(arrived.bytes, bytes);
}

/** An SP whose mailbox is real and whose answers the test writes itself. */
async function freeHand(spId: number) {
  const node = await start(spId);
  const plane = await tap(spId);
  const manager = await jetstreamManager(node.home);
  return {
    plane,
    /** Accepts so many offers; the tokens of the primary's ends, in the order of the offers. */
    accept: async (count: number): Promise<string[]> => {
      await until(async () => (await manager.streams.info('OFFERS_1')).state.messages === count);
      const tokens: string[] = [];
      for (let seq = 1; seq <= count; seq++) {
        const stored = await manager.streams.getMessage('OFFERS_1', { seq });
        if (!stored) throw new Error('no offer');
        const { header, body } = stored.json<StoredOffer>();
        const job = { objectId: header.object_id, version: 0 };
        const message = await codecOf(spId).seal({
          kind: 'accept',
          to: 1,
          about: { job, gvgId: header.gvg_id, redundancyIndex: header.redundancy_index },
          expiresAt: Date.now() + 60_000,
          body: { re: header.nonce, firstMissing: 0, token: `${seq}`.padStart(32, '0') },
        });
        await plane.request(`session.1.${spId}.${body.token}.answer`, message.bytes);
        tokens.push(body.token);
      }
      return tokens;
    },
  };
}

interface StoredOffer {
  readonly header: {
    readonly nonce: string;
    readonly object_id: string;
    readonly gvg_id: number;
    readonly redundancy_index: number;
  };
  readonly body: { readonly token: string };
}

async function startReceiver(spId: number): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('receiver.child.js', import.meta.url)), [server.url, `${spId}`]);
  opened.push({
    close: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  });
  await once(child, 'message');
  return child;
}
