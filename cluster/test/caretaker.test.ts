import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { caretaker } from '#actors/caretaker/caretaker';
import { columnRound } from '#actors/caretaker/column-round';
import type { CaretakerTiming } from '#actors/caretaker/timing';
import { Columns } from '#actors/ledger/column-record';
import type { DiscardSegments } from '#actors/primary/objects';
import { formatJobId } from '#protocols/job/identity';
import { pieceKey } from '#protocols/payload/keys';
import type { Behaviour } from '#runtime/actors/types';
import { openJobQueue } from '#runtime/jobs/nats-job-queue';
import { openRoles } from '#runtime/jobs/nats-roles';
import { Background } from '#runtime/load/background';
import { sqliteRecords } from '#runtime/records/sqlite';
import { silentLogger } from '#runtime/telemetry/logger';
import { createBucket } from '../devnet/chain/testing.ts';
import { createWaitingObject, offerOf, type WaitingObject } from './offers.ts';
import { join, type Secondary, startSecondary, startWorld, temporaryDirectory, until } from './secondary.ts';

/** This SP is SP 3, which has index 1 in the only group of SP 1. */
const US = 3;
const INDEX = 1;
const TIMING: CaretakerTiming = {
  jobsEveryMs: 50,
  uploadsEveryMs: 50,
  columnsEveryMs: 50,
  spaceEveryMs: 50,
  surveyEveryMs: 50,
  spacePaceMs: 0,
  readersGraceMs: 0,
  sweepEveryMs: 50,
  retentionEveryMs: 50,
  retentionMs: 0,
  scrubPassMs: 86_400_000,
  columnGraceMs: 0,
  columnAbandonedAfterMs: 86_400_000,
  chainLagMs: 30_000,
};

/** A secondary has no objects in work. */
const noObjects: Behaviour<DiscardSegments, undefined> = {
  kind: 'objects',
  start: () => undefined,
  receive: (_, { reply }) => reply.resolve(false) as undefined,
};

async function start(t: ExecutionContext) {
  const other = { id: 99, familyId: 1, primarySpId: 1, secondarySpIds: [3, 2, 4, 5, 6, 7] };
  const world = await startWorld(t, { moreGvgs: [other] });
  await createBucket(world.fixture, 'bucket-1', 1);
  const { client } = (await join(t, world, 1)).peers;
  const us = await startSecondary(t, world, US);
  const held = async (): Promise<WaitingObject> => {
    const object = await createWaitingObject(world.fixture, 'bucket-1');
    const offer = await offerOf(world.fixture, object, { redundancyIndex: INDEX });
    const session = await client.open(offer, {});
    for (const [segmentIndex, bytes] of (object.columns[INDEX] ?? []).entries()) {
      await session.send({ segmentIndex, bytes });
    }
    await session.done(offer.checksums);
    session.close();
    return object;
  };
  return { world, us, held };
}

async function spawnCaretaker(t: ExecutionContext, us: Secondary, timing: Partial<CaretakerTiming> = {}) {
  const { home: connection, journal, ports } = us;
  const log = silentLogger;
  const roles = await openRoles({ connection, log });
  const queue = await openJobQueue({ connection, log });
  const { spId, pieces, chain } = ports;
  const { receivers } = us;
  const records = sqliteRecords(path.join(await temporaryDirectory(t), 'records.sqlite'));
  t.teardown(() => records.close());
  const background = new Background(1);
  t.teardown(() => background.close());
  return us.system.spawn(
    'caretaker',
    caretaker({
      spId,
      roles,
      journal,
      records,
      queue,
      pieces,
      chain,
      receivers,
      repairer: us.system.spawn('repairer', idle),
      scrubRate: 2 ** 20,
      objects: us.system.spawn('objects', noObjects),
      background,
      timing: { ...TIMING, ...timing },
    }),
  );
}

/** This test verifies nothing. */
const idle = { kind: 'repairer', start: () => undefined, receive: () => undefined };

function recordOf({ ports }: Secondary, { job }: WaitingObject) {
  return new Columns(ports).get({ job, redundancyIndex: INDEX });
}

function pieceOf({ ports }: Secondary, { job }: WaitingObject) {
  return ports.pieces.stat(pieceKey(job, 0, INDEX));
}

test('a signed column is deleted only when the chain no longer needs it', async (t) => {
  const { world, us, held } = await start(t);
  const [waiting, cancelled, elsewhere, ours] = [await held(), await held(), await held(), await held()];
  const { fixture } = world;
  await fixture.user.cancelCreateObject(cancelled.bucketName, cancelled.objectName);
  for (const [object, gvgId, members] of [
    [elsewhere, 99, [3, 2, 4, 5, 6, 7]],
    [ours, 1, [2, 3, 4, 5, 6, 7]],
  ] as const) {
    const { job, bucketName, objectName, checksums } = object;
    await fixture.sp(1, 'seal').send({
      typeUrl: '/greenfield.storage.MsgSealObject',
      value: {
        operator: fixture.sp(1, 'seal').address,
        bucketName,
        objectName,
        globalVirtualGroupId: gvgId,
        secondarySpBlsAggSignatures: fixture.aggregate(members, gvgId, job.objectId, checksums),
      },
    });
  }
  await spawnCaretaker(t, us, { columnAbandonedAfterMs: 0 });
  for (const object of [cancelled, elsewhere]) {
    await until(async () => (await recordOf(us, object)) === undefined);
    t.is(await pieceOf(us, object), undefined);
  }
  for (const object of [waiting, ours]) {
    t.truthy((await recordOf(us, object))?.receipt);
    t.truthy(await pieceOf(us, object));
  }
});

test('an incomplete column is deleted once nobody waits for it', async (t) => {
  const { world, us } = await start(t);
  const object = await createWaitingObject(world.fixture, 'bucket-1');
  const record = { job: object.job, redundancyIndex: INDEX, from: 1, segmentCount: 3, touchedAt: 0 };
  await us.ports.pieces.put(pieceKey(object.job, 0, INDEX), new Uint8Array(10));
  await new Columns(us.ports).put(record);
  await spawnCaretaker(t, us);
  await until(async () => (await recordOf(us, object)) === undefined);
  t.is(await pieceOf(us, object), undefined);
});

test('pieces without a record after a crash are deleted only when the chain does not need them', async (t) => {
  const { world, us, held } = await start(t);
  const [cancelled, waiting] = [await held(), await held()];
  for (const { job } of [cancelled, waiting]) {
    await us.journal.ledger.delete(`column/${formatJobId(job)}/${INDEX}`);
  }
  await world.fixture.user.cancelCreateObject(cancelled.bucketName, cancelled.objectName);
  await spawnCaretaker(t, us);
  await until(async () => !(await pieceOf(us, cancelled)) && !(await recordOf(us, cancelled)));
  t.truthy(await pieceOf(us, waiting));
});

test('a deletion interrupted by a crash is finished', async (t) => {
  const { world, us } = await start(t);
  const object = await createWaitingObject(world.fixture, 'bucket-1');
  const discarding = { because: 'it was sealed without us', at: 0 };
  const id = { job: object.job, redundancyIndex: INDEX };
  await us.ports.pieces.put(pieceKey(object.job, 2, INDEX), new Uint8Array(10));
  await new Columns(us.ports).put({ ...id, from: 1, segmentCount: 3, touchedAt: Date.now(), discarding });
  await spawnCaretaker(t, us);
  await until(async () => (await recordOf(us, object)) === undefined);
  t.is(await us.ports.pieces.stat(pieceKey(object.job, 2, INDEX)), undefined);
});

test('data is deleted only when two rounds in a row find it', async (t) => {
  const { world, us, held } = await start(t);
  const object = await held();
  await world.fixture.user.cancelCreateObject(object.bucketName, object.objectName);
  const { spId, pieces, chain } = us.ports;
  const { journal, receivers } = us;
  const storedBy = Date.now();
  await until(async () => (await chain.latestBlock()).time > storedBy);
  const round = columnRound({ spId, journal, pieces, chain, receivers, timing: TIMING });
  const { signal } = new AbortController();
  t.is(await round.run(signal), undefined);
  t.truthy(await recordOf(us, object));
  t.regex((await round.run(signal)) ?? '', /^deleted 1 columns/);
  t.is(await recordOf(us, object), undefined);
});

test('a chain node that lags behind leads to no deletion', async (t) => {
  const { world, us, held } = await start(t);
  const object = await held();
  await world.fixture.user.cancelCreateObject(object.bucketName, object.objectName);
  await spawnCaretaker(t, us, { chainLagMs: -1_000_000 });
  await until(() => JSON.stringify(us.system.tree()).includes('the next round'));
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.truthy(await recordOf(us, object));
});
