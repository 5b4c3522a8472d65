import test from 'ava';
import { checksum } from '#protocols/integrity/checksums';
import { newGround, Primary } from '../testing/primary.ts';
import { withStage } from '../testing/stage.ts';
import { SegmentRecords } from './segment-record.ts';

const stage = withStage(test);

test('the checksums of a sealed payload are recorded so that they outlive its job', async (t) => {
  const ground = await newGround(t, await stage().connection(t));
  const primary = await Primary.start(t, ground);
  const payload = await primary.newObject(3_000);
  await primary.upload(payload);
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  const records = new SegmentRecords(ground.journal.ledger);
  while (await ground.queue.has(payload.job)) await new Promise((resolve) => setTimeout(resolve, 10));
  const { bytes, job } = payload;
  const segments = [bytes.subarray(0, 1_024), bytes.subarray(1_024, 2_048), bytes.subarray(2_048)];
  t.deepEqual((await records.get(job))?.segmentChecksums, segments.map(checksum));
});
