import { Readable } from 'node:stream';
import test from 'ava';
import { findCurrentNatsServer } from '#runtime/nats/binary';
import { useNetwork } from './network.ts';
import { persistentPut } from './persistent-put.ts';

const SEGMENT = 64 * 1024;
const SPS = [1, 2, 3, 4, 5, 6, 7];
/** Has the journal that several nodes can share, which knows nothing of a restart. */
const JETSTREAM = 4;

/** Where there is a nats-server that can sync before it acknowledges, it does. */
const current = await findCurrentNatsServer();

/** Leases are so long that a test fails if a node waits for the expiry of a dead node's lease. */
const network = useNetwork(test, {
  segmentSize: SEGMENT,
  ...(current && { server: { binary: current, syncAlways: true } }),
  node: { timing: { ackWaitMs: 600_000 }, limits: { diskReserve: '256 MiB' } },
  nodeOf: (spId) => (spId === JETSTREAM ? { journal: { adapter: 'jetstream' } } : {}),
});

/** Uploads an object that is large enough for a test to intervene during replication. */
async function replicating(primary: number) {
  const net = network();
  const object = await net.createObject(await net.createBucket(primary), { size: 48 * SEGMENT });
  await net.put(primary, object);
  await net.reached(primary, object, 'REPLICATE_OBJECT_DOING');
  return object;
}

test.serial('a node that was killed resumes its own job and signer at once', async (t) => {
  const net = network();
  for (const id of [1, JETSTREAM]) {
    const object = await replicating(id);
    await net.devnet.sp(id).kill('SIGKILL');
    await net.devnet.sp(id).start();
    await net.sealed(object);
    t.true((await net.get(id, object)).equals(object.payload));
  }
});

test.serial('the first upload after a restart of nats-server is sealed', async (t) => {
  const net = network();
  const bucketName = await net.createBucket(2);
  for (const end of ['kill', 'stop'] as const) {
    await net.devnet.nats[end]();
    await net.devnet.nats.start();
    const object = await net.createObject(bucketName, { size: 3 * SEGMENT });
    // the node may not have its connection back yet
    await persistentPut(() => net.put(2, object), { tries: 5, pauseMs: 500 });
    await net.sealed(object);
    t.true((await net.get(2, object)).equals(object.payload));
  }
});

(current ? test.serial : test.serial.skip)(
  'what a power-safe provider has acknowledged survives that its nats-server is killed at once (needs nats-server 2.10)',
  async (t) => {
    const net = network();
    const bucketName = await net.createBucket(5);
    const objects = [];
    for (let size = 1; size < 8 * SEGMENT; size += SEGMENT)
      objects.push(await net.createObject(bucketName, { size }));
    const acknowledged: typeof objects = [];
    let killed: Promise<void> | undefined;
    const uploads = objects.map(async (object) => {
      const { length: size } = object.payload;
      const body = Readable.from([object.payload]);
      t.is(await net.client(5).put(object, { body, size, contentType: 'text/plain' }), 'power-safe');
      acknowledged.push(object);
      killed ??= net.devnet.nats.kill();
    });
    await Promise.any(uploads);
    await killed;
    // An upload that was to be queued just then waits for minutes.
    await net.devnet.nats.start();
    await Promise.allSettled(uploads);
    t.true(acknowledged.length > 0);
    for (const object of acknowledged) {
      await net.sealed(object);
      t.true((await net.get(5, object)).equals(object.payload));
    }
  },
);

test.serial('a network killed as a whole resumes as soon as it runs again', async (t) => {
  const net = network();
  const object = await replicating(3);
  await Promise.all(SPS.map((id) => net.devnet.sp(id).kill('SIGKILL')));
  await net.devnet.nats.kill();
  await net.devnet.nats.start();
  await Promise.all(SPS.map((id) => net.devnet.sp(id).start()));
  await net.sealed(object);
  t.true((await net.get(3, object)).equals(object.payload));
});
