import test from 'ava';
import { pieceKey, segmentKey } from '#protocols/payload/keys';
import { network } from './caretaking.ts';
import type { WaitingObject } from './offers.ts';
import { until } from './until.ts';

const KIB = 1024;
const SEGMENT = 64 * KIB;
const SPS = [1, 2, 3, 4, 5, 6, 7];

/** The environment can ask for more: how many objects are deleted, updated and left alone. */
const DELETED = Number(process.env.SPACE_DELETED ?? 12);
const UPDATED = Number(process.env.SPACE_UPDATED ?? 4);
const KEPT = 3;
/** More than the buffers of a connection take up, so that a client can stop reading in the middle; bytes. */
const LARGE = 100 * SEGMENT;
/** Number of uploads at a time. */
const AT_ONCE = 10;

async function eachOf<A, B>(items: readonly A[], work: (item: A, index: number) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE) {
    const some = items.slice(at, at + AT_ONCE).map((item, i) => work(item, at + i));
    results.push(...(await Promise.all(some)));
  }
  return results;
}

async function upload(object: WaitingObject): Promise<WaitingObject> {
  await network().put(1, object);
  await network().sealed(object);
  return object;
}

/** The names that each SP must hold of the objects. */
async function neededNames(objects: readonly WaitingObject[]): Promise<Map<number, string[]>> {
  const names = new Map<number, string[]>(SPS.map((id) => [id, []]));
  for (const { job, payload } of objects) {
    const { gvg } = (await network().chain.objectById(job.objectId)) ?? {};
    for (let segment = 0; segment * SEGMENT < payload.length; segment += 1) {
      names.get(gvg?.primarySpId ?? 0)?.push(segmentKey(job, segment));
      for (const [index, id] of gvg?.secondarySpIds.entries() ?? []) {
        names.get(id)?.push(pieceKey(job, segment, index));
      }
    }
  }
  for (const list of names.values()) list.sort();
  return names;
}

/** Whether SP 1 has answered a download of an object to its end. */
async function isAnswered({ objectName }: WaitingObject): Promise<boolean> {
  const lines = (await network().log(1)).split('\n').filter((line) => line.includes(objectName));
  return lines.some((line) => JSON.parse(line).method === 'GET');
}

test.serial('a download that runs while an update is sealed gets all its bytes', async (t) => {
  const net = network();
  const object = await upload(await net.createObject(await net.createBucket(1), { size: LARGE }));
  const body = (await net.client(1).get(object))[Symbol.asyncIterator]();
  const first = await body.next();
  const update = await upload(await net.updateObject(object, { size: SEGMENT }));
  t.false(await isAnswered(object), 'the download still runs');
  t.true((await net.get(1, update)).equals(update.payload));
  const chunks: Uint8Array[] = first.done ? [] : [first.value];
  for (let next = await body.next(); !next.done; next = await body.next()) chunks.push(next.value);
  t.true(Buffer.concat(chunks).equals(object.payload));
  t.true(await until('its end is logged', () => isAnswered(object)));
  await net.account.deleteObject(object.bucketName, object.objectName);
});

test.serial('finally the stores hold exactly what the chain requires', async (t) => {
  t.timeout(600_000);
  const net = network();
  const bucketName = await net.createBucket(1);
  const numbers = Array.from({ length: DELETED + UPDATED + KEPT }, (_, i) => i);
  const objects = await eachOf(numbers, async (i) =>
    upload(await net.createObject(bucketName, { size: i % 5 === 0 ? 2 * SEGMENT + 1 : 2_000 })),
  );
  const kept = objects.slice(DELETED + UPDATED);
  const updates = await eachOf(objects.slice(DELETED, DELETED + UPDATED), async (object) =>
    upload(await net.updateObject(object, { size: 3_000 })),
  );
  await eachOf(objects.slice(0, DELETED), ({ objectName }) =>
    net.account.deleteObject(bucketName, objectName),
  );
  const needed = await neededNames([...kept, ...updates]);
  for (const id of SPS) {
    await until(`sp ${id} holds what the chain says`, async () => {
      const { names, chunks, named } = await net.pieces(id).list();
      return chunks === named && names.join() === needed.get(id)?.join();
    });
  }
  for (const object of [...kept, ...updates]) {
    t.true((await net.get(1, object)).equals(object.payload));
  }
});
