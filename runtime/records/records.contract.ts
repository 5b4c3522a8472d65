import anyTest, { type ExecutionContext } from 'ava';
import { Terminal } from '#protocols/errors';
import type { Failure, JobObject, Receipt } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import { replay } from '#protocols/job/evolve';
import type { JobId } from '#protocols/job/identity';
import type { JobProjection, Records } from './records.ts';

/** An empty database, and a way to open it a second time after `close`. */
export interface RecordsUnderTest {
  open(): Records;
}

const T0 = 1_763_819_000_000;

export const OBJECT: JobObject = {
  bucketName: 'photos',
  objectName: 'a/sea.jpg',
  owner: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
  contentType: 'image/jpeg',
  payloadSize: 64 * 2 ** 30,
  redundancy: 'EC',
  checksums: Array.from({ length: 7 }, (_, index) => `0${index}`.repeat(32)),
  maxSegmentSize: 16 * 2 ** 20,
  dataChunks: 4,
  parityChunks: 2,
  familyId: 1,
  primarySpId: 1,
  createdAt: T0 / 1000,
  isUpdate: false,
};

const SECONDARIES = [2, 3, 4, 5, 6, 7];

export function receipt(redundancyIndex: number, gvgId = 9): Receipt {
  return {
    redundancyIndex,
    spId: SECONDARIES[redundancyIndex] ?? 0,
    gvgId,
    integrityHash: `1${redundancyIndex}`.repeat(32),
    approvalSignature: 'aa'.repeat(65),
    blsSignature: 'bb'.repeat(96),
  };
}

/** Events of a job up to the receipt of its first secondary. */
export function historyOf(id: JobId, createdAt = T0, segments = 3): JobEvent[] {
  const at = createdAt;
  return [
    { type: 'JobCreated', at, id, object: OBJECT, deadlineAt: at + 86_400_000 },
    { type: 'UploadStarted', at: at + 1, attempt: 1, deadlineAt: at + 86_400_000 },
    {
      type: 'UploadCompleted',
      at: at + 2,
      segmentChecksums: Array.from({ length: segments }, (_, index) => index.toString(16).padStart(64, '0')),
      integrityHash: 'cd'.repeat(32),
    },
    { type: 'AllocationStarted', at: at + 3 },
    { type: 'AllocationCompleted', at: at + 4, gvgId: 9, secondarySpIds: SECONDARIES, approvals: [] },
    { type: 'ReplicationStarted', at: at + 5 },
    { type: 'SecondaryCompleted', at: at + 6, receipt: receipt(0) },
  ];
}

function projectionOf(events: readonly JobEvent[], completedAt: Record<number, number> = {}): JobProjection {
  const context = replay(events);
  if (!context) throw new Error('no events');
  return { context, completedAt };
}

/** The contract suite of `Records`. */
export function recordsContract(
  adapter: string,
  setUp: (t: ExecutionContext) => Promise<RecordsUnderTest>,
): void {
  const test = (title: string, run: (t: ExecutionContext) => Promise<void>): void => {
    anyTest(`${adapter}: ${title}`, run);
  };
  const id: JobId = { objectId: '4711', version: 0 };

  const opened = async (t: ExecutionContext): Promise<Records> => {
    const records = (await setUp(t)).open();
    t.teardown(() => records.close());
    return records;
  };

  test('an empty database begins at position 0 and knows nothing', async (t) => {
    const records = await opened(t);
    t.is(await records.position(), 0);
    t.is(await records.job(id), undefined);
    t.deepEqual(await records.secondaries(id), []);
    t.deepEqual(await records.jobs({ limit: 10 }), []);
  });

  test('a job is found as projected, with the position', async (t) => {
    const records = await opened(t);
    await records.project({ jobs: [projectionOf(historyOf(id))], position: 7 });
    t.is(await records.position(), 7);
    t.deepEqual(await records.job(id), {
      job: id,
      state: 'REPLICATE_OBJECT_DOING',
      bucketName: 'photos',
      objectName: 'a/sea.jpg',
      payloadSize: 64 * 2 ** 30,
      createdAt: T0,
      changedAt: T0 + 5,
      gvgId: 9,
    });
    t.is(await records.job({ ...id, version: 1 }), undefined);
  });

  test('a later projection replaces an earlier one', async (t) => {
    const records = await opened(t);
    const failure: Failure = {
      code: 'peer-unreachable',
      message: 'SP 4 does not answer.',
      attempt: 1,
      resume: 'REPLICATE_OBJECT_DOING',
      nextTryAt: T0 + 2000,
    };
    const history = historyOf(id);
    await records.project({ jobs: [projectionOf(history)], position: 7 });
    history.push({ type: 'ReplicationFailed', at: T0 + 1000, failure });
    await records.project({ jobs: [projectionOf(history)], position: 8 });
    t.like(await records.job(id), {
      state: 'REPLICATE_OBJECT_ERROR',
      changedAt: T0 + 1000,
      failure: { code: failure.code, message: failure.message, nextTryAt: T0 + 2000 },
    });
    t.is((await records.jobs({ limit: 10 })).length, 1);
  });

  test('each secondary has its row from the allocation on, and is updated when it completes', async (t) => {
    const records = await opened(t);
    const history = historyOf(id);
    await records.project({ jobs: [projectionOf(history, { 0: T0 + 6 })], position: 7 });
    const [first, ...others] = await records.secondaries(id);
    t.deepEqual(first, {
      redundancyIndex: 0,
      spId: 2,
      completedAt: T0 + 6,
      integrityHash: receipt(0).integrityHash,
    });
    t.deepEqual(
      others,
      [3, 4, 5, 6, 7].map((spId, index) => ({ redundancyIndex: index + 1, spId })),
    );
  });

  test('another group replaces the secondaries, and their receipts with them', async (t) => {
    const records = await opened(t);
    const history = historyOf(id);
    await records.project({ jobs: [projectionOf(history, { 0: T0 + 6 })], position: 7 });
    history.push(
      { type: 'AllocationStarted', at: T0 + 7, excludeGvgId: 9 },
      {
        type: 'AllocationCompleted',
        at: T0 + 8,
        gvgId: 10,
        secondarySpIds: [8, 9, 10, 11, 12, 13],
        approvals: [],
      },
    );
    await records.project({ jobs: [projectionOf(history, { 0: T0 + 6 })], position: 9 });
    t.deepEqual(
      await records.secondaries(id),
      [8, 9, 10, 11, 12, 13].map((spId, redundancyIndex) => ({ redundancyIndex, spId })),
    );
  });

  test('versions of an object and jobs of one batch are kept apart', async (t) => {
    const records = await opened(t);
    const ids = [id, { ...id, version: 1 }, { objectId: '4712', version: 0 }];
    const jobs = ids.map((one, index) => projectionOf(historyOf(one, T0 + 10 * index)));
    await records.project({ jobs, position: 21 });
    for (const [index, one] of ids.entries()) {
      t.is((await records.job(one))?.createdAt, T0 + 10 * index);
      t.is((await records.secondaries(one)).length, 6);
    }
  });

  test('the payload of an object with thousands of segments is stored', async (t) => {
    const records = await opened(t);
    await t.notThrowsAsync(records.project({ jobs: [projectionOf(historyOf(id, T0, 4096))], position: 7 }));
  });

  test('a NUL character in a name is replaced', async (t) => {
    const records = await opened(t);
    const [created, ...rest] = historyOf(id);
    if (created?.type !== 'JobCreated') throw new Error('no creation');
    const named = { ...created, object: { ...created.object, objectName: 'a\0b' } };
    await records.project({ jobs: [projectionOf([named, ...rest])], position: 7 });
    t.is((await records.job(id))?.objectName, 'a\uFFFDb');
  });

  test('pages are newest first, and skip no job of the same millisecond', async (t) => {
    const records = await opened(t);
    const ids = Array.from({ length: 7 }, (_, index) => ({ objectId: String(index + 1), version: 0 }));
    await records.project({
      jobs: ids.map((one, index) => projectionOf(historyOf(one, T0 + Math.floor(index / 5)))),
      position: 49,
    });
    const seen: string[] = [];
    let page = await records.jobs({ limit: 2 });
    while (page.length > 0 && seen.length < 20) {
      seen.push(...page.map(({ job }) => job.objectId));
      page = await records.jobs({ limit: 2, before: page[page.length - 1] as (typeof page)[number] });
    }
    t.deepEqual(seen, ['7', '6', '5', '4', '3', '2', '1']);
  });

  test('jobs can be queried by state', async (t) => {
    const records = await opened(t);
    const done = historyOf({ objectId: '1', version: 0 });
    done.push({ type: 'SealCompleted', at: T0 + 9 });
    await records.project({
      jobs: [projectionOf(done), projectionOf(historyOf(id))],
      position: 15,
    });
    const sealed = await records.jobs({ states: ['SEAL_OBJECT_DONE', 'OBJECT_DISCONTINUED'], limit: 10 });
    t.deepEqual(
      sealed.map(({ job }) => job.objectId),
      ['1'],
    );
    t.deepEqual(await records.jobs({ states: [], limit: 10 }), []);
  });

  test('an invalid limit is rejected', async (t) => {
    const records = await opened(t);
    for (const limit of [0, 1001, 1.5, Number.NaN]) {
      const error = await t.throwsAsync(records.jobs({ limit }), { instanceOf: Terminal });
      t.is(error.code, 'bad-query');
    }
  });

  test('everything is there when it is opened again', async (t) => {
    const database = await setUp(t);
    const first = database.open();
    await first.project({ jobs: [projectionOf(historyOf(id))], position: 7 });
    await first.close();
    const second = database.open();
    t.teardown(() => second.close());
    t.is(await second.position(), 7);
    t.is((await second.job(id))?.state, 'REPLICATE_OBJECT_DOING');
  });

  test('the position belongs to one journal; for another, jobs are removed and keys kept', async (t) => {
    const records = await opened(t);
    t.is(await records.follow({ id: 'first', position: 0 }), 0);
    await records.project({ jobs: [projectionOf(historyOf(id))], position: 7 });
    const holder = { account: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A', domain: 'https://a.example' };
    await records.offChainKeys.register({ ...holder, publicKey: 'aa', registeredAt: 1, expiresAt: 2 });
    t.is(await records.follow({ id: 'first', position: 7 }), 7);
    t.is((await records.job(id))?.state, 'REPLICATE_OBJECT_DOING');

    t.is(await records.follow({ id: 'second', position: 9 }), 0);
    t.is(await records.position(), 0);
    t.is(await records.job(id), undefined);
    t.deepEqual(await records.secondaries(id), []);
    t.is((await records.offChainKeys.list(holder)).length, 1);
  });

  test('a journal restored from an older copy is read from its beginning', async (t) => {
    const records = await opened(t);
    await records.follow({ id: 'first', position: 0 });
    await records.project({ jobs: [projectionOf(historyOf(id))], position: 7 });
    t.is(await records.follow({ id: 'first', position: 6 }), 0);
    t.is((await records.job(id))?.state, 'REPLICATE_OBJECT_DOING', 'what was purged since is nowhere else');
  });

  test('a closed database rejects further use', async (t) => {
    const records = (await setUp(t)).open();
    await records.position();
    await records.close();
    await records.close();
    await t.throwsAsync(records.position(), { instanceOf: Terminal });
  });
}
