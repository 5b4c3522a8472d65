import test from 'ava';
import { useNetwork } from './network.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;

const network = useNetwork(test, { segmentSize: SEGMENT });

/** Uploads a large object and waits until it is being replicated. */
async function replicating(primary: number) {
  const net = network();
  const object = await net.createObject(await net.createBucket(primary), { size: 96 * SEGMENT });
  await net.put(primary, object);
  await net.reached(primary, object, 'REPLICATE_OBJECT_DOING');
  return object;
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
