import test from 'ava';
import { pieceKey, segmentKey } from '#protocols/payload/keys';
import { useNetwork } from './network.ts';
import type { WaitingObject } from './offers.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;

/** Here a pass over everything stored begins every few seconds. */
const network = useNetwork(test, {
  segmentSize: SEGMENT,
  node: {
    timing: { ackWaitMs: 2_000, offerTimeoutMs: 5_000, stallTimeoutMs: 10_000, scrubDays: 0.0001 },
    limits: { diskReserve: '256 MiB' },
  },
});

async function stores(spId: number, key: string, expected: Uint8Array): Promise<boolean> {
  const stored = await network().pieces(spId).read(key);
  return stored !== null && Buffer.from(expected).equals(stored);
}

test('an emptied secondary and lost segments of a primary are repaired without intervention', async (t) => {
  const net = network();
  const bucket = await net.createBucket(1);
  const objects: WaitingObject[] = [];
  for (const [size, redundancy] of [
    [3 * SEGMENT + 5, 'EC'],
    [1, 'EC'],
    [2 * SEGMENT, 'REPLICA'],
  ] as const) {
    const object = await net.createObject(bucket, { size, redundancy });
    await net.put(1, object);
    await net.sealed(object);
    objects.push(object);
  }
  const [first] = objects;
  if (!first) throw new Error('there are three objects');
  t.true((await net.pieces(4).loseAll(() => true)) >= 6, 'everything at sp 4');
  await net.pieces(1).lose(segmentKey(first.job, 0));
  await net.pieces(1).damage(segmentKey(first.job, 2));

  await until('the segments are back', async () => {
    for (const index of [0, 2]) {
      const segment = first.payload.subarray(index * SEGMENT, (index + 1) * SEGMENT);
      if (!(await stores(1, segmentKey(first.job, index), segment))) return false;
    }
    return true;
  });
  await until('sp 4 has its columns back', async () => {
    for (const { job, columns } of objects) {
      for (const [segment, piece] of (columns[2] ?? []).entries()) {
        if (!(await stores(4, pieceKey(job, segment, 2), piece))) return false;
      }
    }
    return true;
  });
  t.pass();
});
