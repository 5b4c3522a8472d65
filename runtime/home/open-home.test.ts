import { jetstreamManager } from '@nats-io/jetstream';
import test, { type ExecutionContext } from 'ava';
import { connectNats } from '../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger as log } from '../telemetry/logger.ts';
import { openHome } from './open-home.ts';

async function plane(t: ExecutionContext, config = '') {
  const server: NatsServer = await startNatsServer({ config });
  const connection = await connectNats({ url: server.url, name: 'test', log });
  t.teardown(async () => {
    await connection.close();
    await server.stop();
  });
  return connection;
}

test('an empty account is furnished, and opening it again changes nothing', async (t) => {
  const connection = await plane(t);
  const first = await openHome({ connection, node: 'sp-1@a', log });
  await first.pieces.put('k', new Uint8Array(10));
  await first.queue.enqueue({ objectId: '1', version: 0 });
  const second = await openHome({ connection, node: 'sp-1@a', log });
  t.is((await second.pieces.stat('k'))?.size, 10);
  t.true(await second.queue.has({ objectId: '1', version: 0 }));
  t.is(second.durability, 'crash-safe');
  t.regex(second.durabilityReason, /power cut/);
});

test('what older settings lack is set', async (t) => {
  const connection = await plane(t);
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'JOBS', subjects: ['jobs.old.>'], retention: 'workqueue' });
  await openHome({ connection, node: 'sp-1@a', log });
  const { config } = await manager.streams.info('JOBS');
  t.deepEqual(config.subjects, ['jobs.replicate.>']);
  t.true(config.discard_new_per_subject);
});

test('a stream that cannot be brought to its settings is an error for the operator', async (t) => {
  const connection = await plane(t);
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'JOBS', subjects: ['jobs.replicate.>'], retention: 'limits' });
  await t.throwsAsync(openHome({ connection, node: 'sp-1@a', log }), {
    name: 'Terminal',
    code: 'stream-unfit',
    message: /JOBS/,
  });
});

test('more copies than there are servers are refused', async (t) => {
  const connection = await plane(t);
  const error = await t.throwsAsync(openHome({ connection, node: 'sp-1@a', replicas: 3, log }));
  t.is(error?.name, 'Terminal');
});

test('an account without JetStream is an error for the operator', async (t) => {
  const connection = await plane(t, 'accounts { A { users: [{ user: a, password: b }] } }\nno_auth_user: a');
  await t.throwsAsync(openHome({ connection, node: 'sp-1@a', log }), {
    name: 'Terminal',
    code: 'jetstream-disabled',
  });
});
