import test from 'ava';
import { checksum, integrityHash } from '#protocols/integrity/checksums';
import { pieceKey, segmentKey } from '#protocols/payload/keys';
import type { WaitingObject } from './offers.ts';
import { network } from './small-segments.ts';
import './cancelled-update.part.ts';
import './delegated.part.ts';
import './interrupted-uploads.part.ts';
import './stopped-uploader.part.ts';

const KIB = 1024;
const SEGMENT = 64 * KIB;

/** Uploads, waits for the seal, and compares every byte with the hashes on chain. */
async function uploadAndCheck(
  t: { deepEqual(a: unknown, b: unknown): void; is(a: unknown, b: unknown): void; true(a: boolean): void },
  primary: number,
  object: WaitingObject,
): Promise<void> {
  const net = network();
  await net.put(primary, object);
  const { object: onChain, gvg } = await net.sealed(object);
  t.is(gvg?.primarySpId, primary);
  t.true((await net.get(primary, object)).equals(object.payload));

  const segments = await piecesOf(primary, object, (segment) => segmentKey(object.job, segment));
  t.is(integrityHash(segments.map(checksum)), onChain.checksums[0]);
  for (const [index, spId] of (gvg?.secondarySpIds ?? []).entries()) {
    const pieces = await piecesOf(spId, object, (segment) => pieceKey(object.job, segment, index));
    t.is(integrityHash(pieces.map(checksum)), onChain.checksums[index + 1]);
    t.true(
      pieces.every((piece, segment) =>
        Buffer.from(piece).equals(object.columns[index]?.[segment] ?? Buffer.of()),
      ),
    );
  }
}

function piecesOf(
  spId: number,
  { payload }: WaitingObject,
  key: (segment: number) => string,
): Promise<readonly Uint8Array[]> {
  const count = Math.ceil(payload.length / SEGMENT);
  return Promise.all(
    Array.from({ length: count }, async (_, segment) => {
      const piece = await network().pieces(spId).read(key(segment));
      if (piece) return piece;
      throw new Error(`sp ${spId} does not hold ${key(segment)}`);
    }),
  );
}

for (const redundancy of ['EC', 'REPLICA'] as const) {
  for (const size of [1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 5 * SEGMENT + 4_321]) {
    test(`${size} bytes are uploaded, sealed and read back: ${redundancy}`, async (t) => {
      const bucketName = await network().createBucket(1);
      await uploadAndCheck(t, 1, await network().createObject(bucketName, { size, redundancy }));
    });
  }
}

test('new content of a sealed object is uploaded beside the old and then replaces it', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(4), { size: 3 * SEGMENT });
  await uploadAndCheck(t, 4, object);
  const update = await net.updateObject(object, { size: 2 * SEGMENT + 1 });
  t.true((await net.get(4, object)).equals(object.payload));
  await uploadAndCheck(t, 4, update);
});

test("two SPs that are each other's secondaries accept uploads at the same time", async (t) => {
  const net = network();
  const primaries = [2, 3];
  const objects = await Promise.all(
    primaries.map(async (primary) =>
      net.createObject(await net.createBucket(primary), { size: 20 * SEGMENT }),
    ),
  );
  await Promise.all(objects.map((object, i) => uploadAndCheck(t, primaries[i] ?? 0, object)));
});
