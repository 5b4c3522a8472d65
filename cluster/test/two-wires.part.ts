import test from 'ava';
import { pieceKey } from '#protocols/payload/keys';
import { delegatedPayload, putDelegated } from './delegated-client.ts';
import { network, OVER_HTTP } from './mixed-wires.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;

for (const redundancy of ['EC', 'REPLICA'] as const) {
  test(`an object is sealed with three secondaries over HTTP and three over NATS: ${redundancy}`, async (t) => {
    const net = network();
    const object = await net.createObject(await net.createBucket(1), { size: 5 * SEGMENT + 1, redundancy });
    await net.put(1, object);
    const { gvg } = await net.sealed(object);
    t.deepEqual(gvg?.secondarySpIds, [2, 3, 4, 5, 6, 7]);
    t.true((await net.get(1, object)).equals(object.payload));

    const context = (await net.job(1, object.job))?.context;
    for (const [index, spId] of [2, 3, 4, 5, 6, 7].entries()) {
      const overHttp = OVER_HTTP.includes(spId);
      t.is(context?.allocation?.approvals[index]?.message === '', overHttp, `approval of sp ${spId}`);
      t.is(context?.receipts[index]?.approvalSignature === '', overHttp, `receipt of sp ${spId}`);
      for (const [segment, piece] of (object.columns[index] ?? []).entries()) {
        const stored = await net.pieces(spId).read(pieceKey(object.job, segment, index));
        t.true(stored !== null && Buffer.from(piece).equals(stored), `piece ${segment} at sp ${spId}`);
      }
    }
  });
}

/** From a byte to many segments, at and around their borders. */
const SIZES: readonly number[] = [
  ...[1, 3, 1_000, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT + 7, 100_003],
  ...[4 * SEGMENT, 5 * SEGMENT - 1, 6 * SEGMENT + 1, 500_000, 9 * SEGMENT, 17 * SEGMENT + 12_345],
];

test('20 objects of mixed sizes, uploaded at once, are sealed by three secondaries over each wire', async (t) => {
  const net = network();
  const bucketName = await net.createBucket(1);
  const announced = Promise.all(
    SIZES.map(async (size, i) => {
      const object = await net.createObject(bucketName, { size, redundancy: i % 4 === 3 ? 'REPLICA' : 'EC' });
      await net.put(1, object);
      return object;
    }),
  );
  const delegated = Promise.all(
    [2, SEGMENT, SEGMENT + 1, 300_000, 10 * SEGMENT].map(async (size) => {
      const object = delegatedPayload(bucketName, size);
      await putDelegated(net, 1, object);
      return object;
    }),
  );
  const objects = [...(await announced), ...(await delegated)];
  t.is(objects.length, 20);
  for (const object of objects) {
    const name = `${object.objectName} of ${object.payload.length} bytes`;
    const onChain = await until(`${name} is sealed`, async () => {
      const found = await net.chain.object(bucketName, object.objectName);
      return found?.object.status === 'SEALED' && found;
    });
    t.deepEqual(onChain.gvg?.secondarySpIds, [2, 3, 4, 5, 6, 7], name);
    t.is(onChain.object.checksums.length, 7, name);
    t.true((await net.get(1, object)).equals(object.payload), name);
    const context = (await net.job(1, { objectId: onChain.object.id, version: 0 }))?.context;
    const overHttp = Object.values(context?.receipts ?? {})
      .filter(({ approvalSignature }) => approvalSignature === '')
      .map(({ spId }) => spId);
    t.deepEqual(overHttp, OVER_HTTP, name);
  }
});

test('an unreachable secondary is named, with the reason', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(2), { size: SEGMENT });
  await net.put(2, object);
  const { failure } = await net.reached(2, object, 'ALLOC_SECONDARY_ERROR');
  // SP 2 uses HTTP alone, these use NATS alone.
  for (const spId of [3, 5, 7])
    t.regex(failure?.message ?? '', new RegExp(`sp ${spId} .*does not accept columns over HTTP`));
});
