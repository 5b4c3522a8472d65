import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { accountsConfig } from '#runtime/nats/accounts';
import { startNatsServer } from '#runtime/nats/server';
import { writeNodeFiles } from '../devnet/node-files.ts';
import { planDevnet } from '../devnet/plan.ts';
import { journalMove } from './journal-move.ts';
import { createReporter } from './reporter.ts';

test('a level journal is moved once, while its node does not run, and says what was moved', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-move-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const plan = await planDevnet({});
  const server = await startNatsServer({
    port: plan.ports.nats[0]?.client as number,
    config: `jetstream: enabled\n${accountsConfig(plan.natsAccounts)}`,
  });
  t.teardown(() => server.stop());
  const config = await writeNodeFiles(folder, plan, 0, { journal: { adapter: 'jetstream' } });
  const directory = join(folder, 'data', 'journal');
  const journal = await openLevelJournal({ directory });
  const job = { objectId: '1', version: 0 };
  await journal.append(job, 1, { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt: 1 });
  await journal.ledger.put('column/1.0/1', { held: true });
  let said = '';
  const out = { write: (text: string) => (said += text) };
  const move = () =>
    journalMove({ config }, createReporter({ out, error: out }), new AbortController().signal);

  await t.throwsAsync(move(), { code: 'journal-locked' });
  await journal.close();
  await move();
  t.regex(said, /1 open job and 0 ended jobs with 1 event, and 1 record of the ledger/);
  const [kept] = await readdir(join(folder, 'data'));
  t.regex(kept ?? '', /^journal\.moved-\d{8}T\d{6}$/);
  t.true(said.includes(join(folder, 'data', kept ?? '')));
  await t.throwsAsync(move(), { code: 'no-journal' });
  t.regex(await readFile(config, 'utf8'), /adapter: jetstream/);
});
