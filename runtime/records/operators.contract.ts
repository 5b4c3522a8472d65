import anyTest, { type ExecutionContext } from 'ava';
import type { JobEvent } from '#protocols/job/events';
import { replay } from '#protocols/job/evolve';
import { formatJobId } from '#protocols/job/identity';
import { historyOf, type RecordsUnderTest } from './records.contract.ts';
import type { Records } from './records.ts';

const AT = 1_763_819_000_000;

/** The contract suite for what operators ask of `Records`. */
export function operatorsContract(
  adapter: string,
  setUp: (t: ExecutionContext) => Promise<RecordsUnderTest>,
): void {
  const test = (title: string, run: (t: ExecutionContext, records: Records) => Promise<void>): void => {
    anyTest(`${adapter}, operators: ${title}`, async (t) => {
      const records = (await setUp(t)).open();
      t.teardown(() => records.close());
      await run(t, records);
    });
  };

  test('an action is recorded before its outcome, and kept with another journal', async (t, records) => {
    const { audit } = records;
    const entry = { id: '1', at: AT, who: 'act (mia)', action: 'retry', target: '4711.0' };
    await audit.begin(entry);
    t.deepEqual(await audit.newest(10), [{ ...entry, outcome: '', isDone: false }]);
    await audit.end('1', { outcome: 'It is tried now.', isDone: true });
    await audit.begin({ ...entry, id: '2', at: AT + 1, reason: 'they asked' });
    t.deepEqual(await audit.newest(10), [
      { ...entry, id: '2', at: AT + 1, reason: 'they asked', outcome: '', isDone: false },
      { ...entry, outcome: 'It is tried now.', isDone: true },
    ]);
    t.is((await audit.newest(1)).length, 1);
    await records.follow({ id: 'one', position: 1 });
    await records.follow({ id: 'another', position: 1 });
    t.is((await audit.newest(10)).length, 2);
  });

  test('actions of more than a year ago are removed', async (t, { audit }) => {
    const entry = { at: AT, who: 'act', action: 'drain', target: 'sp-1@a' };
    await audit.begin({ ...entry, id: '1' });
    await audit.begin({ ...entry, id: '2', at: AT + 367 * 86_400_000 });
    t.deepEqual(
      (await audit.newest(10)).map(({ id }) => id),
      ['2'],
    );
  });

  test('jobs are counted by state, and the oldest is named', async (t, records) => {
    t.deepEqual(await records.summary(['UPLOAD_OBJECT_DOING']), { waiting: {} });
    await fill(records);
    const states = ['INIT_UNSPECIFIED', 'UPLOAD_OBJECT_DOING', 'REPLICATE_OBJECT_DOING'] as const;
    t.deepEqual(await records.summary(states), {
      waiting: { UPLOAD_OBJECT_DOING: 1, REPLICATE_OBJECT_DOING: 2 },
      oldest: { job: { objectId: '10', version: 0 }, state: 'REPLICATE_OBJECT_DOING', createdAt: AT },
    });
  });

  test('a job is found by its id, name, state, failure and secondaries', async (t, records) => {
    await fill(records);
    const found = async (text: string, limit = 10) =>
      (await records.search(text, limit)).map(({ job }) => formatJobId(job)).sort();
    t.deepEqual(await found('11'), ['11.0']);
    t.deepEqual(await found('11.0'), ['11.0']);
    t.deepEqual(await found('11.7'), []);
    t.deepEqual(await found('photos/a/sea.jpg'), ['10.0', '11.0', '12.0', '13.0']);
    t.deepEqual(await found('photos/a/_ea'), []);
    t.deepEqual(await found('photos', 2), ['12.0', '13.0']);
    t.deepEqual(await found('UPLOAD_OBJECT_DOING'), ['12.0']);
    t.deepEqual(await found('replicate'), ['10.0', '11.0']);
    t.deepEqual(await found('group-full'), ['13.0']);
    t.deepEqual(await found('sp 3'), ['10.0', '11.0']);
    t.deepEqual(await found("'; drop table object; --"), []);
  });
}

/** Four jobs: two replicate, one uploads, one has failed to find a group. */
async function fill(records: Records): Promise<void> {
  const history = (objectId: string, at: number): JobEvent[] => historyOf({ objectId, version: 0 }, at);
  const failure = { code: 'group-full', message: 'no', attempt: 1, resume: 'ALLOC_SECONDARY_DOING' } as const;
  const jobs = [
    history('10', AT),
    history('11', AT + 10),
    history('12', AT + 20).slice(0, 2),
    [...history('13', AT + 30).slice(0, 4), { type: 'AllocationFailed', at: AT + 40, failure }] as JobEvent[],
  ].flatMap((events) => {
    const context = replay(events);
    return context ? [{ context, completedAt: {} }] : [];
  });
  await records.project({ jobs, position: 1 });
}
