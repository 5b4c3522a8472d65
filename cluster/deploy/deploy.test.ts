import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jetstreamManager } from '@nats-io/jetstream';
import test, { type ExecutionContext } from 'ava';
import { connect } from 'nats';
import { findNatsServer } from '#runtime/nats/binary';
import { patient } from '#runtime/nats/patient';
import { type NatsServer, startNatsServer } from '#runtime/nats/server';

const FOLDER = fileURLToPath(new URL('../../../cluster/deploy/', import.meta.url));

async function check(name: string): Promise<string> {
  return promisify(execFile)(await findNatsServer(), ['-c', `${FOLDER}${name}`, '-t']).then(
    ({ stderr, stdout }) => stderr + stdout,
    (error: { stderr: string; stdout: string }) => error.stderr + error.stdout,
  );
}

async function knowsSyncInterval(): Promise<boolean> {
  const { stdout } = await promisify(execFile)(await findNatsServer(), ['--version']);
  const [, major, minor] = /v(\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 10);
}

test('nats-server accepts every configuration that its version knows', async (t) => {
  const names = readdirSync(FOLDER).filter((name) => name.startsWith('nats-') && name.endsWith('.conf'));
  t.is(names.length, 5);
  const powerSafe = (await knowsSyncInterval()) ? /is valid/ : /unknown field "sync_interval"/;
  for (const name of names)
    t.regex(await check(name), name.includes('power-safe') ? powerSafe : /is valid/, name);
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('The port has no number.');
  return address.port;
}

/** The server at which SPs meet, and the server of SP 1, as configured by the examples. */
async function network(t: ExecutionContext): Promise<{ peers: NatsServer; home: NatsServer }> {
  const leafPort = await freePort();
  const text = (name: string): string => readFileSync(`${FOLDER}${name}`, 'utf8');
  const peers = await startNatsServer({
    config: text('nats-peers.conf').replace('0.0.0.0:7422', `127.0.0.1:${leafPort}`),
  });
  t.teardown(() => peers.stop());
  const home = await startNatsServer({
    config: text('nats-home.accounts.conf').replace('peers.example.com:7422', `127.0.0.1:${leafPort}`),
  });
  t.teardown(() => home.stop());
  return { peers, home };
}

test('an offer of another SP is acknowledged and waits in our mailbox', async (t) => {
  const { peers, home } = await network(t);
  const own = await connect({ servers: home.url, user: 'sp1', pass: 'change-me-home-password' });
  t.teardown(() => own.close());
  const manager = await jetstreamManager(patient(own));
  await manager.streams.add({ name: 'MAILBOX', subjects: ['peer.1.>'] });

  const other = await connect({
    servers: peers.url,
    user: 'peer2',
    pass: 'change-me-peers-password-2',
    inboxPrefix: '_INBOX.2',
  });
  t.teardown(() => other.close());
  const offer = (from: number): Promise<string> =>
    other.request(`peer.1.offer.${from}.4711.0.0`, 'offer', { timeout: 2_000 }).then((ack) => ack.string());

  // The leaf node takes a moment to link up.
  let ack: string | undefined;
  while (ack === undefined) ack = await offer(2).catch(() => sleep(50, undefined));
  t.regex(ack, /"stream":"MAILBOX"/);
  t.is((await manager.streams.info('MAILBOX')).state.messages, 1);

  await t.throwsAsync(offer(3), { message: /Permissions Violation/ }, 'not in the name of another');
  t.is((await manager.streams.info('MAILBOX')).state.messages, 1);
});

test('a fetch of a stored piece reaches the SP it names, and carries its real sender', async (t) => {
  const { peers } = await network(t);
  const [one, two] = await Promise.all(
    [1, 2].map((id) =>
      connect({
        servers: peers.url,
        user: `peer${id}`,
        pass: `change-me-peers-password-${id}`,
        inboxPrefix: `_INBOX.${id}`,
      }),
    ),
  );
  if (!one || !two) throw new Error('unreachable');
  t.teardown(() => Promise.all([one.close(), two.close()]));
  one.subscribe('recovery.1.*', { callback: (_, message) => void message.respond(message.subject) });
  await one.flush();
  const fetch = (subject: string) =>
    two.request(subject, 'x', { timeout: 2_000 }).then((answer) => answer.string());
  t.is(await fetch('recovery.1.2'), 'recovery.1.2');
  await t.throwsAsync(fetch('recovery.1.3'), { message: /Permissions Violation/ });
});
