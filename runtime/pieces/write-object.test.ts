import { randomBytes } from 'node:crypto';
import type { JetStreamClient, PubAck } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import test from 'ava';
import { gate } from '#runtime/actors/testing';
import { connectNats } from '../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger as log } from '../telemetry/logger.ts';
import { type Bucket, openBucket } from './bucket.ts';
import { openNatsPieceStore } from './nats-piece-store.ts';
import { writeObject } from './write-object.ts';

const MIB = 2 ** 20;

let server: NatsServer;
let connection: NatsConnection;

test.before(async () => {
  server = await startNatsServer();
  connection = await connectNats({ url: server.url, name: 'test', log });
});

test.after.always(async () => {
  await connection?.close();
  await server?.stop();
});

type Swallowed = 'message' | 'answer' | undefined;
type Swallow = (subject: string, times: number) => Swallowed | Promise<Swallowed>;

/** A bucket on what looks like a cluster, whose leader swallows a message, or its answer, and is then replaced. */
async function onHangingLeader(name: string, swallows: Swallow, onStored?: () => void): Promise<Bucket> {
  const bucket = await openBucket({ connection, bucket: name, log });
  const sent = new Map<string, number>();
  const publish: JetStreamClient['publish'] = async (subject, body, options): Promise<PubAck> => {
    const id = options?.msgID ?? '';
    const times = (sent.get(id) ?? 0) + 1;
    sent.set(id, times);
    const swallowed = await swallows(subject, times);
    const never = new Promise<never>(() => undefined);
    if (swallowed === 'message') return never;
    const ack = await bucket.client.publish(subject, body, options);
    onStored?.();
    return swallowed === 'answer' ? never : ack;
  };
  const client = Object.assign(Object.create(bucket.client), { publish });
  const repeats = { limitMs: 600_000, againMs: [20, 600_000] };
  return { ...bucket, client, repeats, isReplicated: true };
}

test('what a hanging leader has swallowed of a put is sent again, and stored once', async (t) => {
  const bucket = await onHangingLeader('once', (subject, times) => {
    if (times > 1) return undefined;
    return subject.includes('.C.') ? 'message' : 'answer';
  });
  const bytes = randomBytes(1_000);
  const { outcome } = await writeObject(bucket, 'k', bytes, {});
  t.is(outcome, 'stored');
  const store = await openNatsPieceStore({ connection, bucket: 'once', log });
  t.true(bytes.equals(await store.get('k')));
  t.is((await bucket.manager.streams.info('OBJ_once')).state.messages, 2);
});

test('a put fails when a chunk came behind a later one, since others read them in the order of the stream', async (t) => {
  let chunks = 0;
  const later = gate();
  const swallows = async (subject: string, times: number) => {
    if (!subject.includes('.C.')) return undefined;
    if (times > 1) await later.opened;
    else chunks += 1;
    return times === 1 && chunks === 1 ? 'message' : undefined;
  };
  const bucket = await onHangingLeader('order', swallows, () => later.open());
  const putting = writeObject(bucket, 'k', randomBytes(2 * MIB), {});
  await t.throwsAsync(putting, { name: 'Retryable', message: /behind a later one/ });
  t.is((await bucket.manager.streams.info('OBJ_order')).state.messages, 0);
});
