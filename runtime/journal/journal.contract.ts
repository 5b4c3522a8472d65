import test, { type ExecutionContext } from 'ava';
import type { JobEvent } from '#protocols/job/events';
import type { Journal, Positioned } from './journal.ts';

/** An empty journal, and a way to reopen its data as a restarted process would. */
export interface JournalBench {
  readonly journal: Journal;
  /** The same data with another writer; this may close the previous journal. */
  successor(): Promise<Journal>;
}

const job = { objectId: '4711', version: 0 };
const other = { objectId: '47110', version: 0 };
const started = (attempt: number): JobEvent => ({ type: 'UploadStarted', at: 1, attempt, deadlineAt: 1 });
const FENCED = { name: 'Terminal', code: 'journal-fenced' };

/** What every Journal must do. */
export function journalContract(title: string, open: (t: ExecutionContext) => Promise<JournalBench>): void {
  const holds = (what: string, run: (t: ExecutionContext, bench: JournalBench) => Promise<void>) =>
    test(`${title}: ${what}`, async (t) => run(t, await open(t)));

  holds('events are read in order, with their writer', async (t, { journal }) => {
    for (let n = 1; n <= 12; n++) await journal.append(job, n, started(n));
    await journal.append(other, 1, started(99));
    const events = await journal.read(job);
    t.deepEqual(
      events,
      Array.from({ length: 12 }, (_, i) => ({
        job,
        n: i + 1,
        writer: journal.writer,
        event: started(i + 1),
      })),
    );
    t.deepEqual(await journal.read({ objectId: '1', version: 0 }), []);
  });

  holds('repeating one’s own event is success and changes nothing', async (t, { journal }) => {
    await journal.append(job, 1, started(1));
    await journal.append(job, 1, started(1));
    await Promise.all([journal.append(job, 2, started(2)), journal.append(job, 2, started(2))]);
    t.is((await journal.read(job)).length, 2);
  });

  holds('an event with other content is fenced', async (t, { journal }) => {
    await journal.append(job, 1, started(1));
    await t.throwsAsync(journal.append(job, 1, started(2)), FENCED);
    const racing = await Promise.allSettled([1, 2, 3].map((i) => journal.append(job, 2, started(i))));
    t.is(racing.filter((one) => one.status === 'fulfilled').length, 1);
    t.is((await journal.read(job)).length, 2);
  });

  holds('an event after a gap is fenced', async (t, { journal }) => {
    await t.throwsAsync(journal.append(job, 2, started(1)), FENCED);
    await journal.append(job, 1, started(1));
    await t.throwsAsync(journal.append(job, 3, started(1)), FENCED);
    t.is((await journal.read(job)).length, 1);
  });

  holds('many events of many jobs at a time keep their order', async (t, { journal }) => {
    const jobs = Array.from({ length: 40 }, (_, i) => ({ objectId: String(i + 1), version: i % 3 }));
    // without waiting for each: what is submitted in order is written in order
    await Promise.all(jobs.flatMap((one) => [1, 2, 3, 4, 5].map((n) => journal.append(one, n, started(n)))));
    for (const one of jobs) {
      t.deepEqual(
        (await journal.read(one)).map(({ n }) => n),
        [1, 2, 3, 4, 5],
      );
    }
  });

  holds('a later process start is another writer, and its events fence the first', async (t, bench) => {
    await bench.journal.append(job, 1, started(1));
    const first = bench.journal.writer;
    const journal = await bench.successor();
    t.not(journal.writer, first);
    t.is((await journal.read(job))[0]?.writer, first);
    await t.throwsAsync(journal.append(job, 1, started(1)), FENCED, 'identical, yet not its own');
    await journal.append(job, 2, started(2));
    t.is((await journal.read(job)).length, 2);
  });

  holds('bad input is refused and changes nothing', async (t, { journal }) => {
    for (const n of [0, -1, 1.5, Number.NaN]) {
      await t.throwsAsync(journal.append(job, n, started(1)), { code: 'bad-event-number' });
    }
    const badJob = { objectId: '1/2', version: 0 };
    await t.throwsAsync(journal.append(badJob, 1, started(1)), { code: 'bad-job-id' });
    const aborted = journal.append(job, 1, started(1), { signal: AbortSignal.abort() });
    await t.throwsAsync(aborted, { name: 'Cancelled' });
    t.deepEqual(await collect(journal.openJobs()), []);
  });

  holds('jobs are listed once each, until they are purged', async (t, { journal }) => {
    for (const one of [job, other]) {
      for (let n = 1; n <= 3; n++) await journal.append(one, n, started(n));
    }
    t.deepEqual(sorted(await collect(journal.openJobs())), ['47110.0', '4711.0'].sort());
    await journal.purge(job, 3);
    await journal.purge(job, 3);
    t.deepEqual(sorted(await collect(journal.openJobs())), ['47110.0']);
    t.deepEqual(await journal.read(job), []);
    t.is((await journal.read(other)).length, 3);
  });

  holds('open jobs and ended ones are found without the others', async (t, bench) => {
    const { journal } = bench;
    const sealed = (at: number): JobEvent => ({ type: 'SealCompleted', at });
    const gone = (at: number): JobEvent => ({ type: 'Discontinued', at, reason: 'gone' });
    const partly: JobEvent = { type: 'SegmentDiscarded', at: 9, segmentIndex: 0 };
    const histories: Readonly<Record<string, readonly JobEvent[]>> = {
      '1': [started(1)],
      '2': [started(1), sealed(5)],
      '3': [started(1), gone(7)],
      '4': [started(1), partly],
      '5': [started(1), gone(5), started(2)],
      '6': [started(1), sealed(5), partly],
    };
    const write = async (objectId: string, events: readonly JobEvent[]) => {
      for (const [i, event] of events.entries()) await journal.append({ objectId, version: 0 }, i + 1, event);
    };
    await Promise.all(Object.entries(histories).map(([objectId, events]) => write(objectId, events)));
    const open = async (from: Journal) => sorted(await collect(from.openJobs()));
    const ended = async (from: Journal, before: number) => sorted(await collect(from.endedJobs(before)));
    t.deepEqual(await open(journal), ['1.0', '4.0', '5.0']);
    t.deepEqual(await ended(journal, 5), []);
    t.deepEqual(await ended(journal, 6), ['2.0', '6.0']);
    t.deepEqual(await ended(journal, 8), ['2.0', '3.0', '6.0']);
    for (const objectId of ['1', '2']) {
      await journal.purge({ objectId, version: 0 }, objectId === '1' ? 1 : 2);
    }
    const journalAgain = await bench.successor();
    t.deepEqual(await open(journalAgain), ['4.0', '5.0']);
    t.deepEqual(await ended(journalAgain, 8), ['3.0', '6.0']);
    t.true((await journalAgain.position()) >= 13, 'a purge does not lower it');
  });

  holds('a journal is the same one in every process start', async (t, bench) => {
    const { id } = bench.journal;
    t.regex(id, /^[0-9a-f-]{36}$/);
    t.is((await bench.successor()).id, id);
  });

  holds('a job that has continued since it was found ended is not purged', async (t, { journal }) => {
    for (let n = 1; n <= 3; n++) await journal.append(job, n, started(n));
    await Promise.all([journal.append(job, 4, started(4)), journal.purge(job, 3)]);
    t.is((await journal.read(job)).length, 4);
    t.deepEqual(await collect(journal.openJobs()), [job]);
  });

  holds('a late event of a purged job is fenced', async (t, { journal }) => {
    for (let n = 1; n <= 3; n++) await journal.append(job, n, started(n));
    const [, late] = await Promise.allSettled([journal.purge(job, 3), journal.append(job, 4, started(4))]);
    t.is(late.status, 'rejected');
    t.deepEqual(await journal.read(job), []);
  });

  holds('a tail yields existing and new events once and in order', async (t, { journal }) => {
    for (let n = 1; n <= 300; n++) void journal.append(job, n, started(n));
    await journal.append(job, 301, started(301));
    const owner = new AbortController();
    const seen: Positioned[] = [];
    for await (const event of journal.tail(0, { signal: owner.signal })) {
      seen.push(event);
      if (event.n === 301) void journal.append(job, 302, started(302));
      if (event.n === 302) setTimeout(() => journal.append(other, 1, started(1)), 20);
      if (event.job.objectId === other.objectId) owner.abort();
    }
    t.deepEqual(
      seen.map(({ n }) => n),
      [...Array.from({ length: 302 }, (_, i) => i + 1), 1],
    );
    t.true(seen.every(({ position }, i) => position > (seen[i - 1]?.position ?? 0)));

    const middle = seen[100]?.position ?? 0;
    const again = new AbortController();
    for await (const event of journal.tail(middle, { signal: again.signal })) {
      t.is(event.n, 102);
      again.abort();
    }
  });

  holds('positions keep rising after a purge and a restart of the journal', async (t, bench) => {
    await bench.journal.append(job, 1, started(1));
    await bench.journal.append(job, 2, started(2));
    const last = await lastPosition(bench.journal, 2);
    await bench.journal.purge(job, 2);
    const journal = await bench.successor();
    await journal.append(other, 1, started(1));
    const owner = new AbortController();
    for await (const event of journal.tail(last, { signal: owner.signal })) {
      t.true(event.position > last);
      t.is(event.job.objectId, other.objectId);
      owner.abort();
    }
  });

  holds('a tail ends with its signal and with the journal', async (t, { journal }) => {
    t.deepEqual(await collect(journal.tail(0, { signal: AbortSignal.abort() })), []);
    const waiting = collect(journal.tail(0, { signal: new AbortController().signal }));
    const owner = new AbortController();
    const aborted = collect(journal.tail(0, { signal: owner.signal }));
    owner.abort();
    t.deepEqual(await aborted, []);
    await journal.close();
    t.deepEqual(await waiting, []);
    await t.throwsAsync(journal.append(job, 1, started(1)), { name: 'Cancelled', code: 'journal-closed' });
  });

  holds('the ledger keeps values over a new start', async (t, bench) => {
    const { ledger } = bench.journal;
    t.is(await ledger.get('a/1'), undefined);
    await ledger.put('a/1', { x: 1 });
    await ledger.put('a/1', { x: 2 });
    await ledger.put('a/2', [3]);
    await ledger.put('ab', 'no');
    await ledger.put('a/\u{10fffe}', 4);
    await ledger.delete('a/3');
    t.deepEqual(await collect(ledger.entries('a/')), [
      ['a/1', { x: 2 }],
      ['a/2', [3]],
      ['a/\u{10fffe}', 4],
    ]);
    t.deepEqual(await collect(ledger.entries('a/', { after: 'a/1' })), [
      ['a/2', [3]],
      ['a/\u{10fffe}', 4],
    ]);
    t.is((await collect(ledger.entries('a/', { after: 'A' }))).length, 3);
    t.deepEqual(await collect(ledger.entries('a/', { after: 'b' })), []);
    await ledger.delete('a/2');
    await ledger.put('b/1', 1);
    await ledger.put('b/2', 2);
    await ledger.deleteAll(['b/1', 'b/2', 'b/3']);
    t.deepEqual(await collect(ledger.entries('b/')), []);
    const next = (await bench.successor()).ledger;
    t.deepEqual(await next.get('a/1'), { x: 2 });
    t.is(await next.get('a/2'), undefined);
    t.deepEqual(await collect((await bench.successor()).openJobs()), [], 'the ledger is apart from the jobs');
  });
}

async function lastPosition(journal: Journal, events: number): Promise<number> {
  const owner = new AbortController();
  let position = 0;
  for await (const event of journal.tail(0, { signal: owner.signal })) {
    position = event.position;
    if (--events === 0) owner.abort();
  }
  return position;
}

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

function sorted(jobs: readonly { objectId: string; version: number }[]): string[] {
  return jobs.map(({ objectId, version }) => `${objectId}.${version}`).sort();
}
