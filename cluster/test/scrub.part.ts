import test from 'ava';
import { pieceKey, segmentKey } from '#protocols/payload/keys';
import { network, SCRUBBING } from './caretaking.ts';
import type { WaitingObject } from './offers.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;

async function stores(spId: number, key: string, expected: Uint8Array): Promise<boolean> {
  const stored = await network().pieces(spId).read(key);
  return stored !== null && Buffer.from(expected).equals(stored);
}

test.serial(
  'an emptied secondary and lost segments of a primary are repaired without intervention',
  async (t) => {
    const net = network();
    const { primary, secondary } = SCRUBBING;
    /** Of the columns, which the other SPs hold in their order. */
    const column = secondary - 2;
    const bucket = await net.createBucket(primary);
    const objects: WaitingObject[] = [];
    for (const [size, redundancy] of [
      [3 * SEGMENT + 5, 'EC'],
      [1, 'EC'],
      [2 * SEGMENT, 'REPLICA'],
    ] as const) {
      const object = await net.createObject(bucket, { size, redundancy });
      await net.put(primary, object);
      await net.sealed(object);
      objects.push(object);
    }
    const [first] = objects;
    if (!first) throw new Error('there are three objects');
    t.true((await net.pieces(secondary).loseAll(() => true)) >= 6, 'everything at the secondary');
    await net.pieces(primary).lose(segmentKey(first.job, 0));
    await net.pieces(primary).damage(segmentKey(first.job, 2));

    await until('the segments are back', async () => {
      for (const index of [0, 2]) {
        const segment = first.payload.subarray(index * SEGMENT, (index + 1) * SEGMENT);
        if (!(await stores(primary, segmentKey(first.job, index), segment))) return false;
      }
      return true;
    });
    await until('the secondary has its columns back', async () => {
      for (const { job, columns } of objects) {
        for (const [segment, piece] of (columns[column] ?? []).entries()) {
          if (!(await stores(secondary, pieceKey(job, segment, column), piece))) return false;
        }
      }
      return true;
    });
    for (const { bucketName, objectName } of objects) await net.account.deleteObject(bucketName, objectName);
  },
);
