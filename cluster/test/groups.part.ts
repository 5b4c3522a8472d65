import test from 'ava';
import { network } from './eight-providers.ts';

const SEGMENT = 64 * 1024;

/** SPs without which one group of SP 1 is still complete. */
const DISPENSABLE: readonly number[] = [3, 5, 8];

test.serial('an object goes to the group whose members are all up', async (t) => {
  const net = network();
  const [dead = 0] = DISPENSABLE;
  await net.devnet.sp(dead).kill();
  const object = await net.createObject(await net.createBucket(1), { size: 3 * SEGMENT });
  await net.put(1, object);
  const { gvg } = await net.sealed(object);
  t.false(gvg?.secondarySpIds.includes(dead));
  t.true((await net.get(1, object)).equals(object.payload));
  await net.devnet.sp(dead).start();
});

test.serial(
  'a secondary that dies for good during replication moves the object to another group',
  async (t) => {
    const net = network();
    const object = await net.createObject(await net.createBucket(1), { size: 96 * SEGMENT });
    await net.put(1, object);
    const { allocation } = await net.reached(1, object, 'REPLICATE_OBJECT_DOING');
    const dead = allocation?.secondarySpIds.find((spId) => DISPENSABLE.includes(spId)) ?? 0;
    await net.devnet.sp(dead).kill();
    const { gvg } = await net.sealed(object);
    t.false(gvg?.secondarySpIds.includes(dead));
    t.true((await net.get(1, object)).equals(object.payload));
  },
);
