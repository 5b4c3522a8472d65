import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { JobId } from '#protocols/job/identity';
import { segmentKey } from '#protocols/payload/keys';
import type { Behaviour } from '#runtime/actors/types';
import { silentLogger } from '#runtime/telemetry/logger';
import { Notes } from '../ledger/notes.ts';
import type { ReceiversMessage } from '../secondary/receivers.ts';
import {
  eventually,
  except,
  newGround,
  type Payload,
  Primary,
  type PrimaryOptions,
} from '../testing/primary.ts';
import { withStage } from '../testing/stage.ts';
import { type Survey, Surveys } from './space/survey.ts';
import { type SpaceRoundOptions, spaceRound } from './space-round.ts';

const stage = withStage(test);
const { signal } = new AbortController();
const HOUR = 3_600_000;
const TIMING: SpaceRoundOptions['timing'] = {
  spaceEveryMs: 0,
  surveyEveryMs: 0,
  spacePaceMs: 0,
  readersGraceMs: HOUR,
  columnGraceMs: 0,
  columnAbandonedAfterMs: HOUR,
  chainLagMs: 30_000,
};

const noReceivers: Behaviour<ReceiversMessage, undefined> = {
  kind: 'receivers',
  start: () => undefined,
  receive: () => undefined,
};

interface Scene {
  readonly primary: Primary;
  /** Runs one round. */
  round(timing?: Partial<SpaceRoundOptions['timing']>): Promise<string | undefined>;
  /** Uploads and seals an object. @returns its payload */
  sealed(): Promise<Payload>;
  /** Indexes of a version's segments in the PieceStore. */
  stored(job: JobId): Promise<number[]>;
  survey(): Promise<Survey | undefined>;
}

async function start(t: ExecutionContext, options: PrimaryOptions = {}): Promise<Scene> {
  const primary = await Primary.start(t, await newGround(t, await stage().connection(t)), options);
  const { chain, objects, ground } = primary;
  const { journal, pieces } = ground;
  chain.latestBlock = async () => ({ height: 1, time: Date.now() });
  const receivers = primary.system.spawn('receivers', noReceivers);
  const base = { spId: 1, journal, pieces, chain, objects, receivers };
  return {
    primary,
    round: (timing) => spaceRound({ ...base, timing: { ...TIMING, ...timing } }, silentLogger).run(signal),
    async sealed() {
      const payload = await primary.newObject();
      await primary.upload(payload);
      await primary.reaches(payload, 'SEAL_OBJECT_DONE');
      await settled(primary, payload);
      return payload;
    },
    async stored(job) {
      const found: number[] = [];
      for (let index = 0; index < 8; index += 1) {
        if (await pieces.stat(segmentKey(job, index))) found.push(index);
      }
      return found;
    },
    survey: () => new Surveys(journal.ledger).last(),
  };
}

/** Waits until nobody works on the job of a payload. */
async function settled(primary: Primary, payload: Pick<Payload, 'job'>): Promise<void> {
  // the small peers hold columns by place and not by object
  primary.peers.columns.clear();
  await eventually('its actor has stopped', () => primary.line(payload) === undefined);
}

/** Asks for the first segment to be deleted. @param revision number of events of the job at the decision */
function discard({ objects }: Primary, { job }: Pick<Payload, 'job'>, revision: number): Promise<boolean> {
  const note = { job, segments: [0], bytes: 1, storedAt: 0, because: 'x', since: 0, forReaders: false };
  return objects.ask<boolean>((reply) => ({ type: 'discard-segments', note, revision, reply }));
}

test('segments of an object deleted on chain are deleted once a later round confirms it', async (t) => {
  const { primary, round, sealed, stored } = await start(t);
  const [deleted, kept] = [await sealed(), await sealed()];
  t.is(await round(), undefined);
  primary.chain.objects.delete(deleted.job.objectId);
  t.is(await round(), undefined);
  t.deepEqual(await stored(deleted.job), [0, 1, 2, 3, 4]);
  t.regex((await round()) ?? '', /^deleted 1 /);
  t.deepEqual(await stored(deleted.job), []);
  t.deepEqual(await stored(kept.job), [0, 1, 2, 3, 4]);
  t.is(await round(), undefined);
  t.is(await new Notes(primary.ground.journal.ledger).get(deleted), undefined);
});

test('segments of a deleted object are deleted even when the journal no longer has the job', async (t) => {
  const { primary, round, sealed, stored } = await start(t);
  const { job } = await sealed();
  const { journal } = primary.ground;
  await journal.purge(job, (await journal.read(job)).length);
  primary.chain.objects.delete(job.objectId);
  await round();
  await round();
  t.deepEqual(await stored(job), []);
});

test('a single wrong answer of the chain deletes nothing', async (t) => {
  const { primary, round, sealed, stored } = await start(t);
  const { job } = await sealed();
  const object = primary.chain.objects.get(job.objectId);
  primary.chain.objects.delete(job.objectId);
  await round();
  if (object) primary.chain.objects.set(job.objectId, object);
  for (let i = 0; i < 3; i += 1) await round();
  t.is((await stored(job)).length, 5);
});

test('a replaced version is kept for its readers, then deleted', async (t) => {
  const { primary, round, sealed, stored } = await start(t);
  const first = await sealed();
  const update = await primary.newUpdate(first, 3_000);
  await primary.upload(update);
  await primary.reaches(update, 'SEAL_OBJECT_DONE');
  await settled(primary, update);
  for (let i = 0; i < 3; i += 1) await round();
  t.deepEqual(await stored(first.job), [0, 1, 2, 3, 4]);
  await round({ readersGraceMs: 0 });
  t.deepEqual(await stored(first.job), []);
  t.deepEqual(await stored(update.job), [0, 1, 2]);
});

test('a chain node that lags behind leads to no note and no deletion', async (t) => {
  const { primary, round, sealed, stored } = await start(t);
  const { job } = await sealed();
  const { chain } = primary;
  chain.objects.delete(job.objectId);
  chain.latestBlock = async () => ({ height: 1, time: Date.now() - 60_000 });
  for (let i = 0; i < 2; i += 1) await t.throwsAsync(round(), { code: 'chain-lag' });
  // fresh enough, but not yet at the announcement of the object
  chain.latestBlock = async () => ({ height: 1, time: Date.now() - 25_000 });
  for (let i = 0; i < 3; i += 1) await round();
  t.is((await stored(job)).length, 5);
});

test('segments of a cancelled update are deleted, unless it is announced again', async (t) => {
  const { primary, round, sealed, stored } = await start(t);
  const { pieces } = primary.ground;
  const [cancelled, again] = [await sealed(), await sealed()];
  for (const { job } of [cancelled, again]) {
    await pieces.put(segmentKey({ ...job, version: 1 }, 0), randomBytes(10));
  }
  await round();
  await primary.newUpdate(again, 3_000);
  await round();
  t.deepEqual(await stored({ ...cancelled.job, version: 1 }), []);
  t.deepEqual(await stored({ ...again.job, version: 1 }), [0]);
});

test('segments of a job in progress are kept', async (t) => {
  const { primary, round, stored } = await start(t, { pulls: false });
  const payload = await primary.newObject();
  await primary.upload(payload);
  primary.chain.objects.delete(payload.job.objectId);
  for (let i = 0; i < 3; i += 1) await round();
  t.is((await stored(payload.job)).length, 5, 'the job itself finds out');
  t.false(await discard(primary, payload, 2), 'its actor is there');
  t.is((await stored(payload.job)).length, 5);
});

test('segments are kept when their job has changed since the decision to delete them', async (t) => {
  const { primary, sealed, stored } = await start(t);
  const payload = await sealed();
  const revision = (await primary.context(payload))?.revision ?? 0;
  t.false(await discard(primary, payload, revision - 1));
  t.is((await stored(payload.job)).length, 5);
  t.true(await discard(primary, payload, revision));
  t.deepEqual(await stored(payload.job), [1, 2, 3, 4]);
});

test('an upload that arrives during a deletion is accepted after it', async (t) => {
  const scene = await start(t);
  const { primary, stored } = scene;
  const payload = await primary.newObject();
  await primary.ground.pieces.put(segmentKey(payload.job, 0), randomBytes(10));
  const deletion = discard(primary, payload, 0);
  const [deleted, acknowledgement] = await Promise.all([deletion, primary.upload(payload)]);
  t.true(deleted);
  t.is(acknowledgement.integrityHash, payload.object.checksums[0]);
  t.deepEqual(await stored(payload.job), [0, 1, 2, 3, 4]);
});

test('an interrupted deletion is finished', async (t) => {
  const { primary, round, sealed, stored } = await start(t);
  const { job } = await sealed();
  primary.chain.objects.delete(job.objectId);
  await round();
  const { pieces, journal } = primary.ground;
  const note = await new Notes(journal.ledger).get({ job });
  if (note) await new Notes(journal.ledger).beginDiscarding(note);
  await pieces.delete(segmentKey(job, 0));
  await round();
  t.deepEqual(await stored(job), []);
});

test('segments of an abandoned upload are deleted, and not looked for again', async (t) => {
  const deletes: string[] = [];
  const ground = await newGround(t, await stage().connection(t));
  const pieces = except(ground.pieces, {
    delete: (key, options) => {
      deletes.push(key);
      return ground.pieces.delete(key, options);
    },
  });
  const scene = await start(t, { timing: { jobDeadlineMs: 0 }, ports: { pieces } });
  const { primary, round } = scene;
  const payload = await primary.newObject();
  await primary.uploadPart(payload, { firstSegment: 1, segmentCount: 2, complete: false });
  const abandon = async () => {
    await primary.ground.queue.enqueue(payload.job);
    await eventually('its entry is gone', async () => !(await primary.ground.queue.has(payload.job)));
    await settled(primary, payload);
  };
  await abandon();
  await primary.reaches(payload, 'UPLOAD_OBJECT_ERROR');
  t.true(deletes.length > 0);
  deletes.length = 0;
  await abandon();
  for (let i = 0; i < 2; i += 1) await round();
  t.deepEqual(deletes, []);
  await primary.ground.pieces.put(segmentKey(payload.job, 3), randomBytes(10));
  for (let i = 0; i < 2; i += 1) await round();
  t.deepEqual(deletes, [segmentKey(payload.job, 3)]);
});

test('a survey reports how much is needed, no longer needed, and unknown', async (t) => {
  const { primary, round, sealed, survey } = await start(t);
  const [, deleted] = [await sealed(), await sealed()];
  const waiting = await primary.newObject();
  await primary.ground.pieces.put(segmentKey(waiting.job, 0), randomBytes(10));
  await primary.ground.pieces.put('not of our making', randomBytes(10));
  primary.chain.objects.delete(deleted.job.objectId);
  await round();
  const found = await survey();
  t.deepEqual(found?.needed, { units: 1, bytes: 5_000 });
  t.deepEqual(found?.unneeded, { units: 1, bytes: 5_000 });
  t.deepEqual(found?.unknown, { units: 1, bytes: 10 });
  await round();
  t.deepEqual((await survey())?.unneeded, { units: 0, bytes: 0 });
});
