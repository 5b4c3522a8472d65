import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import test from 'ava';
import { openBucket } from '../pieces/bucket.ts';
import { silentLogger as log } from '../telemetry/logger.ts';
import { connectNats } from './connect.ts';
import { patient, patientManager } from './patient.ts';
import { type NatsServer, startNatsServer } from './server.ts';

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

test('a bucket is opened on a server that hangs for longer than a request may take', async (t) => {
  process.kill(server.pid, 'SIGSTOP');
  const opening = openBucket({ connection, bucket: 'pieces', requestLimitMs: 50, log });
  // With that limit it fails in this time.
  await sleep(200);
  process.kill(server.pid, 'SIGCONT');
  t.is((await opening).stream, 'OBJ_pieces');
});

test('a patient connection repeats a request, and its first answer counts', async (t) => {
  let asked = 0;
  connection.subscribe('question', {
    callback(_error, message) {
      asked += 1;
      if (asked > 1) message.respond(`answer ${asked}`);
    },
  });
  const asking = patient(connection, { limitMs: 600_000, againMs: [10, 600_000] });
  t.is((await asking.request('question', '', { timeout: 1 })).string(), 'answer 2');
});

test('JetStream is used over a patient connection', async (t) => {
  const manager = await patientManager(connection, 'testing');
  await manager.streams.add({ name: 'A', subjects: ['a'] });
  t.is((await jetstream(patient(connection)).publish('a')).seq, 1);
  t.is((await manager.streams.info('A')).state.messages, 1);
});
