import { jetstreamManager } from '@nats-io/jetstream';
import test from 'ava';
import { connect } from 'nats';
import { segmentKey } from '#protocols/payload/keys';
import { STREAMS } from '#runtime/journal/jetstream/subjects';
import { patient } from '#runtime/nats/patient';
import { JOURNAL } from './network.ts';
import { network } from './small-segments.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;

/** Uploads a large object and waits until it is being replicated. */
async function replicating(primary: number) {
  const net = network();
  const object = await net.createObject(await net.createBucket(primary), { size: 64 * SEGMENT });
  await net.put(primary, object);
  await net.reached(primary, object, 'REPLICATE_OBJECT_DOING');
  return object;
}

/** Runs something with a connection of an SP's own account, as a person with its credentials could. */
async function atHome<T>(
  spId: number,
  work: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<T>,
): Promise<T> {
  const nats = network().devnet.file.sps[spId - 1]?.nats;
  if (!nats) throw new Error(`no SP ${spId}`);
  const connection = await connect({ servers: nats.url, user: nats.user, pass: nats.password });
  try {
    return await work(await jetstreamManager(patient(connection)));
  } finally {
    await connection.close();
  }
}

/** A journal on JetStream is not made again: what it held is the truth, as that of the level journal in its folder. */
const OF_JOURNAL: readonly string[] = Object.values(STREAMS).map(({ name }) => name);

async function streamsOf(spId: number): Promise<string[]> {
  return atHome(spId, async (manager) => {
    const names: string[] = [];
    for await (const name of manager.streams.names()) names.push(name);
    return names.filter((name) => !OF_JOURNAL.includes(name)).sort();
  });
}

test.serial('a nats-server killed during replication costs only time', async (t) => {
  const net = network();
  const object = await replicating(1);
  await net.devnet.nats.kill();
  await net.devnet.nats.start();
  await net.sealed(object);
  t.true((await net.get(1, object)).equals(object.payload));
});

test.serial('a chain that is unreachable during replication costs only time', async (t) => {
  const net = network();
  const object = await replicating(2);
  await net.devnet.chain.kill();
  await until('every column is signed for, or waits for the chain', async () => {
    const context = (await net.job(2, object.job))?.context;
    return context?.failure !== undefined || context?.state === 'SEAL_OBJECT_DOING';
  });
  await t.throwsAsync(net.get(2, object));
  await net.devnet.chain.start();
  await net.sealed(object);
  t.true((await net.get(2, object)).equals(object.payload));
});

test.serial('streams removed under running nodes are recreated, and uploads continue', async (t) => {
  const bucketName = await network().createBucket(1);
  const before = { 1: await streamsOf(1), 2: await streamsOf(2) };
  const expected = ['JOBS', 'OBJ_pieces', 'ROLES', ...(JOURNAL.adapter === 'level' ? ['NODES'] : [])];
  t.true(expected.every((name) => before[1].includes(name)));
  for (const spId of [1, 2] as const) {
    await atHome(spId, async (manager) => {
      for (const name of before[spId]) await manager.streams.delete(name);
    });
  }
  for (const spId of [1, 2] as const) {
    await until(`SP ${spId} has its streams again`, async () => {
      const names = await streamsOf(spId);
      return before[spId].every((name) => names.includes(name));
    });
  }
  const object = await network().createObject(bucketName, { size: 150_000 });
  await until('an upload is taken', () =>
    network()
      .put(1, object)
      .then(
        () => true,
        () => false,
      ),
  );
  await network().sealed(object);
  t.true((await network().get(1, object)).equals(object.payload));
});

test.serial(
  'a job whose queue entry and payload are lost ends as lost, and can be uploaded again',
  async (t) => {
    const bucketName = await network().createBucket(1);
    const object = await network().createObject(bucketName, { size: 150_000 });
    // No secondary answers, so that the job stays where it is.
    for (let id = 2; id <= 7; id++) await network().devnet.sp(id).stop();
    await network().put(1, object);
    t.truthy(await network().pieces(1).read(segmentKey(object.job, 0)));
    await atHome(1, async (manager) => {
      for (const name of ['JOBS', 'OBJ_pieces']) await manager.streams.delete(name);
    });
    await Promise.all([2, 3, 4, 5, 6, 7].map((id) => network().devnet.sp(id).start()));
    const view = await until('the job has ended as lost', async () => {
      const job = await network().job(1, object.job);
      return job?.context.state === 'UPLOAD_OBJECT_ERROR' && job;
    });
    t.truthy(view);
    await until('the upload is repeated', () =>
      network()
        .put(1, object)
        .then(
          () => true,
          () => false,
        ),
    );
    await network().sealed(object);
    t.true((await network().get(1, object)).equals(object.payload));
  },
);

test.serial('sealed objects whose pieces were lost with the stream are repaired at once', async (t) => {
  const bucketName = await network().createBucket(1);
  const object = await network().createObject(bucketName, { size: 150_000 });
  await network().put(1, object);
  await network().sealed(object);
  const key = segmentKey(object.job, 0);
  t.truthy(await network().pieces(1).read(key));
  await atHome(1, (manager) => manager.streams.delete('OBJ_pieces'));
  await until('the segment is there again', async () => {
    try {
      return (await network().pieces(1).read(key)) !== undefined;
    } catch {
      // The stream does not exist yet.
      return false;
    }
  });
  t.true((await network().get(1, object)).equals(object.payload));
});
