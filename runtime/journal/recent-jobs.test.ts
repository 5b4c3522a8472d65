import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import type { JobEvent } from '#protocols/job/events';
import { openLevelJournal } from './level-journal.ts';

/** A few appends at once, of which some are fenced; a purge; or a new start of the process. */
type Step =
  | { readonly type: 'append'; readonly events: readonly { readonly job: number; readonly n: number }[] }
  | { readonly type: 'purge'; readonly job: number }
  | { readonly type: 'reopen' };

const JOBS = 3;
const jobId = (job: number) => ({ objectId: String(job + 1), version: 0 });
const eventOf = (n: number): JobEvent => ({ type: 'UploadStarted', at: 1, attempt: n, deadlineAt: 1 });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('append' as const),
      events: fc.array(fc.record({ job: fc.nat(JOBS - 1), n: fc.integer({ min: 1, max: 5 }) }), {
        minLength: 1,
        maxLength: 6,
      }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('purge' as const), job: fc.nat(JOBS - 1) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reopen' as const) }) },
);

test('appends that share a write succeed or fail as if each were alone, across purges and restarts', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-journal-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  let run = 0;
  const follows = fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
    run += 1;
    const open = () => openLevelJournal({ directory: join(directory, String(run)) });
    let journal = await open();
    /** The writer of each event, by job. */
    const model = Array.from({ length: JOBS }, (): string[] => []);
    try {
      for (const one of steps) {
        if (one.type === 'reopen') {
          await journal.close();
          journal = await open();
        } else if (one.type === 'purge') {
          await journal.purge(jobId(one.job), model[one.job]?.length ?? 0);
          model[one.job] = [];
        } else {
          const outcomes = one.events.map(({ job, n }) => journal.append(jobId(job), n, eventOf(n)));
          const settled = await Promise.allSettled(outcomes);
          const expected = one.events.map(({ job, n }) => {
            const events = model[job] ?? [];
            if (n <= events.length) return events[n - 1] === journal.writer;
            if (n > events.length + 1) return false;
            events.push(journal.writer);
            return true;
          });
          t.deepEqual(
            settled.map(({ status }) => status === 'fulfilled'),
            expected,
          );
        }
        for (const [job, writers] of model.entries()) {
          const events = await journal.read(jobId(job));
          t.deepEqual(
            events.map(({ n, writer, event }) => ({ n, writer, event })),
            writers.map((writer, i) => ({ n: i + 1, writer, event: eventOf(i + 1) })),
          );
        }
      }
    } finally {
      await journal.close();
    }
  });
  await fc.assert(follows, { numRuns: 40 });
});

test('a job that was written long ago reads the same as one that was written just now', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-journal-'));
  const journal = await openLevelJournal({ directory });
  t.teardown(async () => {
    await journal.close();
    await rm(directory, { recursive: true, force: true });
  });
  const jobs = Array.from({ length: 1_500 }, (_, i) => jobId(i));
  await Promise.all(jobs.flatMap((job) => [1, 2].map((n) => journal.append(job, n, eventOf(n)))));
  for (const job of [jobs[0], jobs.at(-1)]) {
    if (!job) throw new Error('no job');
    const [first, second, ...more] = await journal.read(job);
    t.like(first, { n: 1, writer: journal.writer, event: eventOf(1) });
    t.like(second, { n: 2, writer: journal.writer, event: eventOf(2) });
    t.deepEqual(more, []);
    await journal.append(job, 2, eventOf(2));
    await t.throwsAsync(journal.append(job, 2, eventOf(3)), { code: 'journal-fenced' });
    await t.throwsAsync(journal.append(job, 4, eventOf(4)), { code: 'journal-fenced' });
    await journal.append(job, 3, eventOf(3));
    t.is((await journal.read(job)).length, 3);
  }
});
