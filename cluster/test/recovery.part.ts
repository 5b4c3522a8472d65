import { setTimeout as sleep } from 'node:timers/promises';
import anyTest, { type TestFn } from 'ava';
import { segmentKey } from '#protocols/payload/keys';
import type { Network } from './network.ts';
import type { WaitingObject } from './offers.ts';
import { network } from './small-segments.ts';
import { until } from './until.ts';

const test = anyTest as TestFn;
const SEGMENT = 64 * 1024;
/** Long enough that a test can intervene during replication. */
const LARGE = 64 * SEGMENT;

/** Indexes of the columns without a receipt. */
async function missingColumns(net: Network, primary: number, object: WaitingObject): Promise<number[]> {
  const context = (await net.job(primary, object.job))?.context;
  const ids = context?.allocation?.secondarySpIds ?? [];
  return ids.flatMap((_, index) => (context?.receipts[index] ? [] : [index]));
}

test.serial('a primary killed during an upload accepts the payload again and seals it', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(1), { size: 5 * SEGMENT });
  const gone = new AbortController();
  const half = object.payload.subarray(0, 3 * SEGMENT);
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield half;
    await sleep(60_000, undefined, { signal: gone.signal }).catch(() => undefined);
  }
  const upload = t.throwsAsync(net.put(1, object, broken()));
  await net.reached(1, object, 'UPLOAD_OBJECT_DOING');
  await net.devnet.sp(1).kill('SIGKILL');
  await upload;
  gone.abort();
  await net.devnet.sp(1).start();
  t.is((await net.job(1, object.job))?.context.state, 'UPLOAD_OBJECT_DOING');

  await net.put(1, object);
  await net.sealed(object);
  t.true((await net.get(1, object)).equals(object.payload));
  t.is((await net.job(1, object.job))?.context.uploadAttempt, 2);
});

test.serial('a primary killed during replication resumes without the client', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(2), { size: LARGE });
  await net.put(2, object);
  await net.reached(2, object, 'REPLICATE_OBJECT_DOING');
  await net.devnet.sp(2).kill('SIGKILL');
  t.is((await net.chain.objectById(object.job.objectId))?.object.status, 'CREATED');
  await net.devnet.sp(2).start();
  t.not((await missingColumns(net, 2, object)).length, 0);

  await net.sealed(object);
  t.true((await net.get(2, object)).equals(object.payload));
});

test.serial('a secondary killed during replication resumes where it stopped', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(3), { size: LARGE });
  await net.put(3, object);
  await net.reached(3, object, 'REPLICATE_OBJECT_DOING');
  await net.devnet.sp(4).kill('SIGKILL');
  await net.devnet.sp(4).start();
  const { gvg } = await net.sealed(object);
  t.true(gvg?.secondarySpIds.includes(4));
});

test.serial('acknowledged bytes that are lost are reported, and can be uploaded again', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(4), { size: 3 * SEGMENT });
  // Without its approval, nothing leaves the primary.
  net.devnet.sp(7).signal('SIGSTOP');
  await net.put(4, object);
  await net.devnet.sp(4).kill('SIGKILL');
  await net.pieces(4).lose(segmentKey(object.job, 1));
  await net.devnet.sp(4).start();
  const reported = await until('the loss is reported', async () => {
    const context = (await net.job(4, object.job))?.context;
    return context?.state === 'UPLOAD_OBJECT_ERROR' ? context : undefined;
  });
  t.is(reported.failure?.code, 'payload-lost');
  net.devnet.sp(7).signal('SIGCONT');

  await net.put(4, object);
  await net.sealed(object);
  t.true((await net.get(4, object)).equals(object.payload));
});

test.serial('a secondary that does not respond delays no other column of ten uploads', async (t) => {
  const net = network();
  const [primary, still] = [5, 7];
  const bucketName = await net.createBucket(primary);
  const objects = await Promise.all(
    Array.from({ length: 10 }, () => net.createObject(bucketName, { size: 24 * SEGMENT })),
  );
  // Without its approval no job begins; its answers then start all ten at the same time.
  net.devnet.sp(still).signal('SIGSTOP');
  await Promise.all(objects.map((object) => net.put(primary, object)));
  net.devnet.sp(still).signal('SIGCONT');
  await Promise.all(objects.map((object) => net.reached(primary, object, 'REPLICATE_OBJECT_DOING')));
  net.devnet.sp(still).signal('SIGSTOP');

  const place = (await net.chain.gvgsOfFamily(primary))[0]?.secondarySpIds.indexOf(still) ?? -1;
  await until('all other columns are complete', async () => {
    const missing = await Promise.all(objects.map((object) => missingColumns(net, primary, object)));
    return missing.every((columns) => columns.every((index) => index === place));
  });
  const held = await Promise.all(objects.map((object) => missingColumns(net, primary, object)));
  t.true(held.filter((columns) => columns.length > 0).length >= 5, `held: ${JSON.stringify(held)}`);

  net.devnet.sp(still).signal('SIGCONT');
  await Promise.all(objects.map((object) => net.sealed(object)));
});

test.serial('the seal key of an SP has one signer, whichever of its nodes ends or stalls', async (t) => {
  const net = network();
  const SIGNS = /^signing for /;
  const first = net.devnet.sp(6);
  const { node: second, signer } = await net.addNode(6);
  t.teardown(() => second.stop());
  const nodes = [
    { process: first, signs: async () => SIGNS.test(await net.signer(6)) },
    { process: second, signs: async () => SIGNS.test(await signer()) },
  ] as const;
  /** Whichever it is: when the whole machine stalls for longer than leases last, the role may pass on. */
  const signerAndOther = () =>
    until('exactly one of them signs', async () => {
      const [firstSigns, secondSigns] = await Promise.all(nodes.map((node) => node.signs()));
      return firstSigns !== secondSigns && (firstSigns ? nodes : ([nodes[1], nodes[0]] as const));
    });

  const [killed, survivor] = await signerAndOther();
  await killed.process.kill('SIGKILL');
  await until('the survivor signs', survivor.signs);
  await killed.process.start();

  const [suspended, other] = await signerAndOther();
  suspended.process.signal('SIGSTOP');
  await until('the other one signs', other.signs);
  suspended.process.signal('SIGCONT');
  t.truthy(await signerAndOther());
});
