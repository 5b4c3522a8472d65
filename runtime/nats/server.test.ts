import { fork } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import test from 'ava';
import { silentLogger } from '../telemetry/logger.ts';
import { connectNats } from './connect.ts';
import { patient } from './patient.ts';
import { startNatsServer } from './server.ts';

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

test('a server accepts connections with JetStream, and leaves nothing behind when stopped', async (t) => {
  const server = await startNatsServer();
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  const manager = await jetstreamManager(patient(connection));
  await manager.streams.add({ name: 'S', subjects: ['s'] });
  t.true(await exists(server.storeDir));
  await connection.close();
  await server.stop();
  t.false(await exists(server.storeDir));
  t.throws(() => process.kill(server.pid, 0), { code: 'ESRCH' });
});

test('a killed server finds its streams again in the same store', async (t) => {
  const storeDir = await mkdtemp(join(tmpdir(), 'sealion-test-'));
  t.teardown(() => rm(storeDir, { recursive: true, force: true }));
  const first = await startNatsServer({ storeDir });
  const connection = await connectNats({ url: first.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  const manager = await jetstreamManager(patient(connection));
  await manager.streams.add({ name: 'S', subjects: ['s'] });
  await first.kill();

  const second = await startNatsServer({ storeDir, port: first.port });
  t.teardown(() => second.stop());
  t.is(second.port, first.port);
  // The connection is restored automatically.
  for await (const status of connection.status()) if (status.type === 'reconnect') break;
  t.is((await manager.streams.info('S')).config.name, 'S');
});

test('a server does not outlive its owner, even one that is killed', async (t) => {
  const owner = fork(new URL('./server.child.js', import.meta.url));
  const [{ pid, storeDir }] = await once(owner, 'message');
  owner.kill('SIGKILL');
  while (isAlive(pid) || (await exists(storeDir))) await sleep(20);
  t.pass();
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('accounts of the configuration apply: a wrong password is a terminal error', async (t) => {
  const server = await startNatsServer({
    config:
      'accounts { A { jetstream: enabled, users: [{ user: a, password: right }] } }\njetstream { max_file: 1G }',
  });
  t.teardown(() => server.stop());
  const options = { url: server.url, name: 'test', user: 'a', log: silentLogger };
  const connection = await connectNats({ ...options, password: 'right' });
  await jetstreamManager(patient(connection));
  await connection.close();
  await t.throwsAsync(connectNats({ ...options, password: 'wrong' }), {
    code: 'nats-refused',
    name: 'Terminal',
  });
});

test('an invalid configuration is an error with the reason', async (t) => {
  const started = startNatsServer({ config: 'no_such_setting: 1' });
  await t.throwsAsync(started, { code: 'nats-server-failed', message: /no_such_setting/ });
});

test('the error for a port in use leaves out the banner of the server', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const { message } = await t.throwsAsync<Error>(startNatsServer({ port: server.port }));
  t.regex(message, /^nats-server ended before it was ready: Error listening on port: [^\n]*$/);
});

test('an unreachable address is a retryable error', async (t) => {
  const server = await startNatsServer();
  await server.stop();
  const connecting = connectNats({ url: server.url, name: 'test', log: silentLogger });
  await t.throwsAsync(connecting, { code: 'nats-unavailable', name: 'Retryable' });
});

test('an aborted start ends the server process', async (t) => {
  await t.throwsAsync(startNatsServer({ signal: AbortSignal.timeout(1) }), { name: 'Cancelled' });
});

test.serial('a missing program is an error', async (t) => {
  process.env.SEALION_NATS_SERVER = '/nonexistent/nats-server';
  t.teardown(() => delete process.env.SEALION_NATS_SERVER);
  await t.throwsAsync(startNatsServer(), { code: 'nats-server-missing', name: 'Terminal' });
});
