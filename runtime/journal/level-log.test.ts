import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Level } from 'level';
import type { JobEvent } from '#protocols/job/events';
import type { Journal, Positioned } from './journal.ts';
import { openLevelJournal } from './level-journal.ts';

const job = { objectId: '1', version: 0 };
const other = { objectId: '2', version: 0 };
const event = (attempt: number): JobEvent => ({ type: 'UploadStarted', at: 1, attempt, deadlineAt: 1 });
const UNAVAILABLE = { name: 'Retryable', code: 'journal-unavailable' };
const FENCED = { name: 'Terminal', code: 'journal-fenced' };

/** Makes the next write of any database fail, after it has reached the disk or before. */
function failNextWrite(when: 'before' | 'after'): void {
  Object.defineProperty(Level.prototype, 'batch', {
    configurable: true,
    async value(this: Level, ...args: Parameters<Level['batch']>) {
      Reflect.deleteProperty(Level.prototype, 'batch');
      if (when === 'after') await this.batch(...args);
      throw new Error('the disk failed');
    },
  });
}

async function journalOf(t: ExecutionContext): Promise<Journal> {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-log-'));
  const journal = await openLevelJournal({ directory });
  t.teardown(async () => {
    await journal.close();
    await rm(directory, { recursive: true, force: true });
  });
  return journal;
}

/** The attempts of the events of a job. */
async function attempts(journal: Journal, of: typeof job): Promise<(number | undefined)[]> {
  return (await journal.read(of)).map((stored) =>
    'attempt' in stored.event ? stored.event.attempt : undefined,
  );
}

/** The first events of a tail, by job and number. */
async function tail(journal: Journal, count: number): Promise<string[]> {
  const owner = new AbortController();
  const seen: Positioned[] = [];
  for await (const one of journal.tail(0, { signal: owner.signal })) {
    if (seen.push(one) === count) owner.abort();
  }
  return seen.map((one) => `${one.job.objectId}/${one.n}`);
}

test.serial('an event whose write failed is not there, and another can be written', async (t) => {
  const journal = await journalOf(t);
  await journal.append(job, 1, event(1));
  failNextWrite('before');
  await t.throwsAsync(journal.append(job, 2, event(2)), UNAVAILABLE);
  t.deepEqual(await attempts(journal, job), [1]);
  await journal.append(job, 2, event(3));
  t.deepEqual(await attempts(journal, job), [1, 3]);
  t.deepEqual(await tail(journal, 2), ['1/1', '1/2']);
});

test.serial(
  'an event whose write failed after it had reached the disk is there, and keeps its place',
  async (t) => {
    const journal = await journalOf(t);
    await journal.append(job, 1, event(1));
    failNextWrite('after');
    await t.throwsAsync(journal.append(job, 2, event(2)), UNAVAILABLE);
    await t.throwsAsync(journal.append(job, 2, event(3)), FENCED);
    await journal.append(other, 1, event(4));
    await journal.append(job, 2, event(2));
    t.deepEqual(await attempts(journal, job), [1, 2]);
    t.deepEqual(await attempts(journal, other), [4]);
    t.deepEqual(await tail(journal, 3), ['1/1', '1/2', '2/1']);
  },
);
