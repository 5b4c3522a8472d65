import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import Database from 'libsql';
import { Retryable } from '#protocols/errors';
import { replay } from '#protocols/job/evolve';
import { offChainKeysContract } from './off-chain-keys.contract.ts';
import { operatorsContract } from './operators.contract.ts';
import { historyOf, recordsContract } from './records.contract.ts';
import { sqliteRecords } from './sqlite.ts';

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sealion-records-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

for (const contract of [recordsContract, offChainKeysContract, operatorsContract]) {
  contract('sqlite', async (t) => {
    const file = join(await folder(t), 'records.db');
    return { open: () => sqliteRecords(file) };
  });
}

function opened(file: string) {
  const records = sqliteRecords(file);
  return { offChainKeys: records.offChainKeys, close: () => records.close() };
}

const id = { objectId: '4711', version: 0 };

function jobs(segments = 3) {
  const context = replay(historyOf(id, 1, segments));
  return context ? [{ context, completedAt: {} }] : [];
}

test('a database that cannot be opened is retried by the next use', async (t) => {
  const place = join(await folder(t), 'place');
  await writeFile(place, 'a file where the folder should be');
  const records = sqliteRecords(join(place, 'records.db'));
  t.teardown(() => records.close());
  const error = await t.throwsAsync(records.position(), { instanceOf: Retryable });
  t.is(error.code, 'records-unavailable');
  t.regex(error.advice ?? '', /place\/records\.db/);
  await rm(place);
  t.is(await records.position(), 0);
});

test('a file that is not a database is a retryable error, and is not overwritten', async (t) => {
  const file = join(await folder(t), 'records.db');
  const text = 'somebody’s letters, '.repeat(500);
  await writeFile(file, text);
  const records = sqliteRecords(file);
  t.teardown(() => records.close());
  await t.throwsAsync(records.position(), { instanceOf: Retryable });
  t.is(await readFile(file, 'utf8'), text);
});

test('a batch that fails half-way leaves nothing behind, and succeeds later', async (t) => {
  const file = join(await folder(t), 'records.db');
  const records = sqliteRecords(file);
  t.teardown(() => records.close());
  await records.project({ jobs: [], position: 3 });
  const other = new Database(file);
  t.teardown(() => other.close());
  other.exec(
    `create trigger full before insert on piece_hash begin select raise(abort, 'disk is full'); end`,
  );
  await t.throwsAsync(records.project({ jobs: jobs(), position: 10 }), {
    instanceOf: Retryable,
    message: /disk is full/,
  });
  t.is(await records.position(), 3);
  t.is(await records.job(id), undefined);
  other.exec('drop trigger full');
  await records.project({ jobs: jobs(), position: 10 });
  t.is(await records.position(), 10);
});

test('a database from before off-chain keys gets a table for them and keeps its jobs', async (t) => {
  const file = join(await folder(t), 'records.db');
  const before = sqliteRecords(file);
  await before.project({ jobs: jobs(), position: 7 });
  await before.close();
  const old = new Database(file);
  old.exec(
    `drop table off_chain_auth_key_v2; drop table operator_action; drop index job_context_failure; alter table projection drop column journal_id;
     delete from kysely_migration where name >= '0002'`,
  );
  old.close();
  const records = sqliteRecords(file);
  t.teardown(() => records.close());
  const holder = { account: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A', domain: 'https://app.example.com' };
  await records.offChainKeys.register({ ...holder, publicKey: 'aa', registeredAt: 1, expiresAt: 2 });
  t.is((await records.offChainKeys.list(holder)).length, 1);
  t.is((await records.job(id))?.job.objectId, '4711');
});

test('a database from before journals had an identity keeps its jobs and reads the journal once more', async (t) => {
  const file = join(await folder(t), 'records.db');
  const before = sqliteRecords(file);
  await before.project({ jobs: jobs(), position: 7 });
  await before.close();
  const old = new Database(file);
  old.exec(
    `alter table projection drop column journal_id; drop table operator_action; drop index job_context_failure;
     delete from kysely_migration where name >= '0003'`,
  );
  old.close();
  const records = sqliteRecords(file);
  t.teardown(() => records.close());
  t.is(await records.follow({ id: 'a', position: 9 }), 0);
  t.is((await records.job(id))?.job.objectId, '4711');
  await records.project({ jobs: [], position: 8 });
  t.is(await records.follow({ id: 'a', position: 9 }), 8);
});

test('when there is no room for another key, the account with the most keys loses its oldest', async (t) => {
  const file = join(await folder(t), 'records.db');
  const { offChainKeys, close } = opened(file);
  t.teardown(close);
  const key = { account: '0xA', domain: 'https://app.example.com', registeredAt: 1, expiresAt: 10 };
  await offChainKeys.register({ ...key, publicKey: 'aa' });
  const other = new Database(file);
  t.teardown(() => other.close());
  // 400 wallets with 250 keys each, which one stranger can create
  other.exec(`with recursive n(i) as (select 0 union all select i + 1 from n where i < 99998)
    insert into off_chain_auth_key_v2 select i % 400, '', i, 20, 2 + i / 400 from n`);
  for (const name of ['0xB', '0xC', '0xD']) {
    await offChainKeys.register({ ...key, account: name, registeredAt: 9, publicKey: 'bb' });
    t.is((await offChainKeys.list({ ...key, account: name })).length, 1);
  }
  await offChainKeys.register({ ...key, registeredAt: 9, publicKey: 'cc' });
  t.is((await offChainKeys.list(key)).length, 2);
  const { n } = other.prepare('select count(*) as n from off_chain_auth_key_v2').get() as { n: number };
  t.is(n, 100_000);
});

test('when every account has one key, the oldest of all is removed', async (t) => {
  const file = join(await folder(t), 'records.db');
  const { offChainKeys, close } = opened(file);
  t.teardown(close);
  const key = { domain: 'https://app.example.com', publicKey: 'aa', expiresAt: 10 };
  await offChainKeys.register({ ...key, account: 'first', registeredAt: 1 });
  const other = new Database(file);
  other.exec(`with recursive n(i) as (select 2 union all select i + 1 from n where i < 100000)
    insert into off_chain_auth_key_v2 select i, '', '', 20, 5 from n`);
  other.close();
  await offChainKeys.register({ ...key, account: 'last', registeredAt: 9 });
  t.is((await offChainKeys.list({ ...key, account: 'last' })).length, 1);
  t.is((await offChainKeys.list({ ...key, account: 'first' })).length, 0);
});

test('a file locked by another program makes writes retryable, and does not affect reading', async (t) => {
  const file = join(await folder(t), 'records.db');
  const records = sqliteRecords(file);
  t.teardown(() => records.close());
  await records.project({ jobs: jobs(), position: 10 });
  const other = new Database(file);
  t.teardown(() => other.close());
  other.exec('begin immediate');
  await t.throwsAsync(records.project({ jobs: [], position: 11 }), { instanceOf: Retryable });
  t.is(await records.position(), 10);
  other.exec('rollback');
  await records.project({ jobs: [], position: 11 });
  t.is(await records.position(), 11);
});

test('checksums are kept in order, replaced with their payload, and removed when it is lost', async (t) => {
  const file = join(await folder(t), 'records.db');
  const records = sqliteRecords(file);
  t.teardown(() => records.close());
  const history = historyOf(id, 1, 2);
  const project = async (position: number): Promise<unknown[]> => {
    const context = replay(history);
    if (!context) throw new Error('no events');
    await records.project({ jobs: [{ context, completedAt: {} }], position });
    const reader = new Database(file);
    const rows = reader
      .prepare('select segment_index as i, checksum from piece_hash where redundancy_index = -1 order by i')
      .all() as { checksum: string }[];
    reader.close();
    return rows.map(({ checksum }) => checksum);
  };
  t.deepEqual(await project(7), ['0'.repeat(64), '1'.padStart(64, '0')]);
  history.push({
    type: 'PayloadLost',
    at: 8,
    failure: { code: 'payload-lost', message: 'gone', attempt: 1, resume: 'UPLOAD_OBJECT_DOING' },
  });
  t.deepEqual(await project(8), []);
  history.push(
    { type: 'UploadStarted', at: 9, attempt: 2, deadlineAt: 1 },
    { type: 'UploadCompleted', at: 10, segmentChecksums: ['ef'.repeat(32)], integrityHash: '12'.repeat(32) },
  );
  t.deepEqual(await project(10), ['ef'.repeat(32)]);
  t.deepEqual(await records.secondaries(id), []);
});
