import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import test from 'ava';
import { patient } from '#runtime/nats/patient';
import { startNatsServer } from '../../nats/server.ts';
import type { InboundSession, ReplicationSession } from '../peers.ts';
import {
  approvedOffer,
  codecOf,
  digest,
  joinPlane,
  makeSample,
  type Node,
  receive,
  replicate,
  SERVER_CONFIG,
  startNode,
  until,
} from '../testing/peers.ts';
import { bigSample, nextOffer, open, sendAll, stopsAt, usePlane } from '../testing/plane.ts';
import type { PeerTimes } from './context.ts';
import { FLOW_LIMITS } from './limits.ts';

const MIB = 1024 * 1024;
const never = new AbortController().signal;
const plane = usePlane(test);

/** Nothing stalls, however slow the machine: a session that ends gives its credit to another. */
const PATIENT: Partial<PeerTimes> = { stall: 600_000, idle: 600_000, offer: 600_000 };

test.serial('outstanding credit stays within the limits of stream, sender and connection', async (t) => {
  const secondary = await plane.start(2, PATIENT);
  const arrived = await plane.countPieces(2);
  const ends: ReplicationSession[] = [];
  const sessions: InboundSession[] = [];
  const send = async (primary: Node) => {
    const sample = bigSample();
    const { session, inbound } = await open(primary, secondary, sample);
    ends.push(session);
    sessions.push(inbound);
    void sendAll(session, sample).catch(() => undefined);
  };
  const first = await plane.start(1, PATIENT);
  await send(first);
  await stopsAt(t, arrived, FLOW_LIMITS.creditPerStream);
  await send(first);
  await send(first);
  await stopsAt(t, arrived, FLOW_LIMITS.creditPerSender);
  for (const id of [3, 4, 5]) {
    const other = await plane.start(id, PATIENT);
    for (let i = 0; i < 3; i++) await send(other);
  }
  await stopsAt(t, arrived, FLOW_LIMITS.credit);
  // One more sender than the credit is for gets its first message, and no more.
  await send(await plane.start(6, PATIENT));
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
  const primary = await plane.start(1);
  const { connection, accept } = await freeHand(4);
  const arrived = await plane.countPieces(4);
  const samples = [bigSample(), bigSample()];
  const opening = samples.map(async (sample) => primary.client.open(await approvedOffer(1, sample, 4), {}));
  const tokens = await accept(2);
  const sessions = await Promise.all(opening);
  const credit = (token: string, consumed: number) =>
    connection.publish(`session.1.4.${token}.credit`, JSON.stringify({ granted: 1024 * MIB, consumed }));
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
  plane.closeAfterwards({ close: small.stop }, primary, secondary);
  const sample = makeSample(MIB, MIB);
  const receiving = nextOffer(secondary).then((held) => receive(held));
  const spy = await joinPlane(small.url, 2);
  plane.closeAfterwards(spy);
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

test.serial('many simultaneous columns to one SP all arrive', async (t) => {
  const [primary, secondary] = [await plane.start(1), await plane.start(2)];
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
  const [primary, healthy] = [await plane.start(1), await plane.start(3)];
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

/** An SP whose mailbox is real and whose answers the test writes itself. */
async function freeHand(spId: number) {
  const node = await plane.start(spId);
  const connection = await plane.tap(spId);
  const manager = await jetstreamManager(patient(node.home));
  return {
    connection,
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
        await connection.request(`session.1.${spId}.${body.token}.answer`, message.bytes);
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
  const child = fork(fileURLToPath(new URL('receiver.child.js', import.meta.url)), [plane.url, `${spId}`]);
  plane.closeAfterwards({
    close: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  });
  await once(child, 'message');
  return child;
}
