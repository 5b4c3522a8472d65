import { AckPolicy, jetstreamManager } from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import test from 'ava';
import { connect } from 'nats';
import { Retryable } from '#protocols/errors';
import { patient } from './patient.ts';
import { type NatsServer, startNatsServer } from './server.ts';
import { ensureConsumer, ensureStream } from './streams.ts';

let server: NatsServer;

test.before(async () => {
  server = await startNatsServer();
});

test.after.always(() => server?.stop());

async function manager(t: { teardown(end: () => Promise<void>): void }) {
  const connection = await connect({ servers: server.url });
  t.teardown(() => connection.close());
  return jetstreamManager(patient(connection));
}

function consumer(ackWaitMs: number) {
  return { durable_name: 'workers', ack_policy: AckPolicy.Explicit, ack_wait: nanos(ackWaitMs) };
}

test('an existing durable consumer is updated to the required settings', async (t) => {
  const streams = await manager(t);
  await ensureStream(streams, { name: 'CHANGED', subjects: ['changed.>'] });
  await ensureConsumer(streams, 'CHANGED', consumer(30_000));
  const info = await ensureConsumer(streams, 'CHANGED', consumer(5_000));
  t.is(info.config.ack_wait, nanos(5_000));
});

test('a stream that a restarted server has not recovered yet is a retryable error', async (t) => {
  const streams = await manager(t);
  const error = await t.throwsAsync(ensureConsumer(streams, 'NOT_THERE_YET', consumer(5_000)));
  t.true(error instanceof Retryable);
});
