import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Retryable } from '#protocols/errors';
import { openLevelJournal } from '#runtime/journal/level-journal';
import type { Audit, AuditEntry } from '#runtime/records/audit';
import { silentLogger } from '#runtime/telemetry/logger';
import { KnownNodes } from '../view/known-nodes.ts';
import { Bans } from './bans.ts';
import { operatorActions } from './operator-actions.ts';

const BY = { role: 'act', name: 'mia', address: '10.0.0.1' } as const;

async function scene(t: ExecutionContext, audit?: Partial<Audit>) {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-actions-'));
  const journal = await openLevelJournal({ directory: folder });
  t.teardown(async () => {
    await journal.close();
    await rm(folder, { recursive: true });
  });
  const entries: AuditEntry[] = [];
  const done: string[] = [];
  const bans = new Bans(journal.ledger, silentLogger);
  const known = new KnownNodes(journal.ledger);
  const actions = operatorActions({
    node: 'sp-1@a',
    spId: 1,
    journal,
    queue: { hasten: async ({ objectId }) => void done.push(`hasten ${objectId}`) },
    directory: { find: async () => undefined },
    calls: {
      call: async (subject) => {
        done.push(subject);
        return 'done';
      },
    },
    bans,
    known,
    audit: {
      begin: async (entry) => void entries.push({ ...entry, outcome: '', isDone: false }),
      end: async (id, result) => {
        const at = entries.findIndex((entry) => entry.id === id);
        entries[at] = { ...(entries[at] as AuditEntry), ...result };
      },
      newest: async () => entries,
      ...audit,
    },
    log: silentLogger,
  });
  return { actions, entries, done, bans, known };
}

test('without a record there is no action', async (t) => {
  const begin = () => Promise.reject(new Retryable({ code: 'records-unavailable', message: 'down' }));
  const { actions, done, bans } = await scene(t, { begin });
  await t.throwsAsync(actions.perform({ action: 'drain', target: 'a' }, BY), { code: 'records-unavailable' });
  await t.throwsAsync(actions.perform({ action: 'ban-peer', target: '4' }, BY), {
    code: 'records-unavailable',
  });
  t.deepEqual(done, []);
  t.false(bans.isBanned(4));
});

test('the record says who did what, and what came of it', async (t) => {
  const { actions, entries, done } = await scene(t);
  await actions.perform({ action: 'drain', target: 'b', reason: 'new disks' }, BY);
  await t.throwsAsync(actions.perform({ action: 'retry', target: '4711.0' }, BY), { code: 'not-found' });
  t.deepEqual(done, ['operate.sp-1@b']);
  t.like(entries, [
    {
      who: 'mia at 10.0.0.1',
      action: 'drain',
      target: 'b',
      reason: 'new disks',
      outcome: 'done',
      isDone: true,
    },
    { action: 'retry', target: '4711.0', isDone: false },
  ]);
  t.regex(entries[1]?.outcome ?? '', /^not-found: /);
});

test('what is not a node of ours or another provider is refused', async (t) => {
  const { actions, done } = await scene(t);
  for (const target of ['sp-2@a', 'a.b', '', '*', '>']) {
    await t.throwsAsync(actions.perform({ action: 'drain', target }, BY), { code: 'bad-action' }, target);
  }
  for (const target of ['1', '0', 'x', '1.5', '-4']) {
    await t.throwsAsync(actions.perform({ action: 'ban-peer', target }, BY), { code: 'bad-action' }, target);
  }
  t.deepEqual(done, []);
});

test('a ban ends with its time, and one that is ended is over at once', async (t) => {
  const { actions, bans } = await scene(t);
  await actions.perform({ action: 'ban-peer', target: '4', minutes: 5 }, BY);
  t.true(bans.isBanned(4));
  t.false(bans.isBanned(5));
  await actions.perform({ action: 'unban-peer', target: '4' }, BY);
  t.false(bans.isBanned(4));
  await bans.ban(4, { until: Date.now() - 1, by: 'mia' });
  t.false(bans.isBanned(4));
});

test('a node that will not come back is no longer awaited', async (t) => {
  const { actions, known } = await scene(t);
  await known.started('sp-1@a');
  await known.started('sp-1@b');
  t.deepEqual(await known.names(), ['sp-1@a', 'sp-1@b']);
  await t.throwsAsync(actions.perform({ action: 'forget-node', target: 'a' }, BY), { code: 'bad-action' });
  await actions.perform({ action: 'forget-node', target: 'sp-1@b' }, BY);
  t.deepEqual(await known.names(), ['sp-1@a']);
});
