import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import anyTest, { type TestFn } from 'ava';
import pg from 'pg';
import pino from 'pino';
import { Retryable } from '#protocols/errors';
import { replay } from '#protocols/job/evolve';
import { withPostgres } from '../testing/programs.ts';
import { offChainKeysContract } from './off-chain-keys.contract.ts';
import { operatorsContract } from './operators.contract.ts';
import { postgresRecords } from './postgres.ts';
import { findPostgres, type PostgresServer, startPostgresServer } from './postgres-server.ts';
import { historyOf, recordsContract } from './records.contract.ts';
import type { Records } from './records.ts';

const password = randomBytes(12).toString('hex');
const log = pino({ level: 'silent' });
const test = await withPostgres(anyTest as TestFn);
const isInstalled = (await findPostgres()) !== undefined;
const folder = await mkdtemp(join(tmpdir(), 'sealion-postgres-'));
const port = await freePort();
let server: PostgresServer | undefined;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

anyTest.before(async () => {
  if (isInstalled) server = await startPostgresServer({ folder, port, password });
});
anyTest.after.always(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Creates a new database. @returns its URL */
async function database(): Promise<string> {
  const { url = '' } = server ?? {};
  const name = `t${randomBytes(8).toString('hex')}`;
  const admin = new pg.Client({ connectionString: url.replace('@', `:${password}@`) });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  return url.replace(/\/postgres$/, `/${name}`);
}

if (isInstalled) {
  for (const contract of [recordsContract, offChainKeysContract, operatorsContract]) {
    contract('postgres', async () => {
      const url = await database();
      return { open: () => postgresRecords({ url, password, log }) };
    });
  }
}

test('nodes that start at the same time create the tables once', async (t) => {
  const url = await database();
  const nodes = Array.from({ length: 6 }, () => postgresRecords({ url, password, log }));
  t.teardown(() => Promise.all(nodes.map((node) => node.close())));
  const patient = (node: Records) =>
    node.position().catch((error: unknown) => {
      if (String(error).includes('timeout')) return node.position();
      throw error;
    });
  t.deepEqual(await Promise.all(nodes.map(patient)), [0, 0, 0, 0, 0, 0]);
});

test('what one node writes, another reads', async (t) => {
  const url = await database();
  const [one, other] = [postgresRecords({ url, password, log }), postgresRecords({ url, password, log })];
  t.teardown(() => Promise.all([one.close(), other.close()]));
  const id = { objectId: '4711', version: 0 };
  const context = replay(historyOf(id));
  await one.project({ jobs: context ? [{ context, completedAt: {} }] : [], position: 7 });
  t.is((await other.job(id))?.state, 'REPLICATE_OBJECT_DOING');
});

test('a wrong password is a retryable error that names the place and no secret', async (t) => {
  const url = await database();
  const records = postgresRecords({ url, password: 'a wrong one', log });
  t.teardown(() => records.close());
  const error = await t.throwsAsync(records.position(), { instanceOf: Retryable });
  t.is(error.code, 'records-unavailable');
  t.true(error.advice?.includes(`127.0.0.1:${port}`));
  t.false(JSON.stringify(error).includes('a wrong one'));
});

test('a server that is killed during a question fails the question, and nothing else', async (t) => {
  const own = await mkdtemp(join(tmpdir(), 'sealion-postgres-'));
  t.teardown(() => rm(own, { recursive: true, force: true }));
  const { url, kill } = await startPostgresServer({ folder: own, port: await freePort(), password });
  const records = postgresRecords({ url, password, log });
  t.teardown(() => records.close());
  await records.project({ jobs: [], position: 3 });
  const holder = new pg.Client({ connectionString: url.replace('@', `:${password}@`) });
  holder.on('error', () => undefined);
  await holder.connect();
  await holder.query('begin');
  await holder.query('lock table projection');
  const asked = t.throwsAsync(records.position(), { instanceOf: Retryable });
  const waits = "select from pg_stat_activity where wait_event_type = 'Lock'";
  while ((await holder.query(waits)).rowCount === 0) await sleep(20);
  await kill();
  t.is((await asked).code, 'records-unavailable');
});

test('a server that stops and returns is used again', async (t) => {
  const own = await mkdtemp(join(tmpdir(), 'sealion-postgres-'));
  t.teardown(() => rm(own, { recursive: true, force: true }));
  const at = { folder: own, port: await freePort(), password };
  const first = await startPostgresServer(at);
  const records = postgresRecords({ url: first.url, password, log });
  t.teardown(() => records.close());
  await records.project({ jobs: [], position: 3 });
  await first.kill();
  const error = await t.throwsAsync(records.position(), { instanceOf: Retryable });
  t.is(error.code, 'records-unavailable');
  const second = await startPostgresServer(at);
  t.teardown(() => second.stop());
  t.is(await records.position(), 3);
});
