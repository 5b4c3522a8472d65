import test from 'ava';
import type { Redundancy } from '../../protocols/greenfield/types.ts';
import { segmentKey } from '../../protocols/payload/keys.ts';
import { type Network, useNetwork } from './network.ts';
import type { WaitingObject } from './offers.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;
const SECONDARIES = [2, 3, 4, 5, 6, 7];
/** Secondaries that other SPs reach over HTTP alone; the other three over NATS alone. The primary uses both. */
const OVER_HTTP: readonly number[] = [2, 4, 6];

const network = useNetwork(test, {
  segmentSize: SEGMENT,
  nodeOf: (spId) => {
    if (spId === 1) return {};
    return { peers: { wires: [OVER_HTTP.includes(spId) ? 'http' : 'nats'] } };
  },
});

async function sealedObject(net: Network, redundancy: Redundancy, segments: number): Promise<WaitingObject> {
  const bucket = await net.createBucket(1);
  const object = await net.createObject(bucket, { size: segments * SEGMENT - 11, redundancy });
  await net.put(1, object);
  const { gvg } = await net.sealed(object);
  if (String(gvg?.secondarySpIds) !== String(SECONDARIES)) throw new Error('another group than expected');
  return object;
}

function segmentOf(object: WaitingObject, index: number): Buffer {
  return Buffer.from(object.payload.subarray(index * SEGMENT, (index + 1) * SEGMENT));
}

/** Waits until the primary has a segment back, byte for byte, for any client of NATS. */
async function segmentIsBack(net: Network, object: WaitingObject, index: number): Promise<void> {
  await until(`segment ${index} is back`, async () => {
    const stored = await net.piece(1, segmentKey(object.job, index));
    return stored !== null && segmentOf(object, index).equals(stored);
  });
}

async function losesColumns(net: Network, object: WaitingObject, columns: readonly number[]): Promise<void> {
  for (const index of columns) {
    const spId = SECONDARIES[index] ?? 0;
    await net.losePieces(spId, (key) => key.startsWith(`${object.job.objectId}+`));
  }
}

for (const redundancy of ['EC', 'REPLICA'] as const) {
  test.serial(
    `a download survives two lost columns and lost segments, which come back: ${redundancy}`,
    async (t) => {
      const net = network();
      const object = await sealedObject(net, redundancy, 4);
      await losesColumns(net, object, [1, 4]);
      await net.losePiece(1, segmentKey(object.job, 0));
      await net.damagePiece(1, segmentKey(object.job, 2));
      await net.losePiece(1, segmentKey(object.job, 3));
      t.true((await net.get(1, object)).equals(object.payload));
      for (const index of [0, 2, 3]) await segmentIsBack(net, object, index);
      t.pass();
    },
  );
}

test.serial('every two of six columns can be missing', async (t) => {
  const net = network();
  for (const redundancy of ['EC', 'REPLICA'] as const) {
    for (const [a, b] of pairs()) {
      const object = await sealedObject(net, redundancy, 1);
      await losesColumns(net, object, [a, b]);
      await net.losePiece(1, segmentKey(object.job, 0));
      t.true((await net.get(1, object)).equals(object.payload), `${redundancy} without ${a} and ${b}`);
    }
  }
});

function* pairs(): Generator<readonly [number, number]> {
  for (let a = 0; a < 6; a += 1) for (let b = a + 1; b < 6; b += 1) yield [a, b];
}
