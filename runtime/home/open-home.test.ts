import { jetstreamManager } from '@nats-io/jetstream';
import test, { type ExecutionContext } from 'ava';
import { connectNats } from '../nats/connect.ts';
import { patient } from '../nats/patient.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger as log } from '../telemetry/logger.ts';
import { type Home, openHome } from './open-home.ts';

async function plane(t: ExecutionContext, config = '') {
  const server: NatsServer = await startNatsServer({ config });
  const connection = await connectNats({ url: server.url, name: 'test', log });
  t.teardown(async () => {
    await connection.close();
    await server.stop();
  });
  return connection;
}

test('an empty account gets all streams, and opening it again changes nothing', async (t) => {
  const connection = await plane(t);
  const first = await openHome({ connection, node: 'sp-1@a', journal: 'j', log });
  await first.pieces.put('k', new Uint8Array(10));
  await first.queue.enqueue({ objectId: '1', version: 0 });
  const second = await openHome({ connection, node: 'sp-1@a', journal: 'j', log });
  t.is((await second.pieces.stat('k'))?.size, 10);
  t.true(await second.queue.has({ objectId: '1', version: 0 }));
  t.is(second.durability, 'crash-safe');
  t.regex(second.durabilityReason, /power cut/);
});

test('settings that older streams lack are added', async (t) => {
  const connection = await plane(t);
  const manager = await jetstreamManager(patient(connection));
  await manager.streams.add({ name: 'JOBS', subjects: ['jobs.old.>'], retention: 'workqueue' });
  await openHome({ connection, node: 'sp-1@a', journal: 'j', log });
  const { config } = await manager.streams.info('JOBS');
  t.deepEqual(config.subjects, ['jobs.replicate.>']);
  t.true(config.discard_new_per_subject);
});

test('a stream whose settings cannot be updated is an error for the operator', async (t) => {
  const connection = await plane(t);
  const manager = await jetstreamManager(patient(connection));
  await manager.streams.add({ name: 'JOBS', subjects: ['jobs.replicate.>'], retention: 'limits' });
  await t.throwsAsync(openHome({ connection, node: 'sp-1@a', journal: 'j', log }), {
    name: 'Terminal',
    code: 'stream-unfit',
    message: /JOBS/,
  });
});

test('more copies than there are servers are refused', async (t) => {
  const connection = await plane(t);
  const error = await t.throwsAsync(openHome({ connection, node: 'sp-1@a', journal: 'j', replicas: 3, log }));
  t.is(error?.name, 'Terminal');
});

test('an account without JetStream is an error for the operator', async (t) => {
  const connection = await plane(t, 'accounts { A { users: [{ user: a, password: b }] } }\nno_auth_user: a');
  await t.throwsAsync(openHome({ connection, node: 'sp-1@a', journal: 'j', log }), {
    name: 'Terminal',
    code: 'jetstream-disabled',
  });
});

test('leases of an earlier start of the node are redelivered at once, those of other nodes are not', async (t) => {
  const connection = await plane(t);
  const url = `nats://127.0.0.1:${connection.info?.port}`;
  // Long enough that the test would hang if it were waited for.
  const options = { node: 'sp-1@a', journal: 'j', ackWaitMs: 600_000, log };
  const { signal } = new AbortController();
  const held = async (home: Home) => {
    for await (const lease of home.queue.leases({ limit: 1, signal })) {
      // ends its renewals, whether or not its connection still stands
      t.teardown(() => lease.done().catch(() => undefined));
      return lease;
    }
    return undefined;
  };
  const job = { objectId: '1', version: 0 };
  const earlier = await connectNats({ url, name: 'earlier', log });
  const first = await openHome({ connection: earlier, ...options });
  await first.queue.enqueue(job);
  t.is((await held(first))?.delivery, 1);
  await earlier.close();

  const second = await openHome({ connection, ...options });
  t.deepEqual((await held(second))?.job, job);

  const manager = await jetstreamManager(patient(connection));
  const other = await openHome({ connection, ...options, node: 'sp-1@b', journal: 'k' });
  t.true(await other.queue.has(job));
  t.is((await manager.consumers.info('JOBS', 'workers')).num_ack_pending, 1);
});
