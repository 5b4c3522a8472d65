import test from 'ava';
import { eventually, newPayload } from '../../testing/primary.ts';
import { upload } from '../../testing/sealing.ts';
import { withStage } from '../../testing/stage.ts';

const stage = withStage(test);

test('the seal brings the checksums of an object that has none on chain', async (t) => {
  const { primary, chain } = await upload(t, stage(), []);
  const payload = await primary.newObject(5_000);
  const { checksums } = payload.object;
  const delegated = { ...payload, object: { ...payload.object, checksums: [] } };
  chain.create(delegated.job, delegated.object);
  const { integrityHash } = await primary.upload(delegated);
  t.is(checksums[0], integrityHash);
  const context = await primary.reaches(delegated, 'SEAL_OBJECT_DONE');
  t.deepEqual(context.payload?.checksums, checksums);
  t.deepEqual(
    Object.values(context.receipts).map((receipt) => receipt.integrityHash),
    checksums.slice(1),
  );
});

test('an update of a sealed object without checksums (a folder) is sealed', async (t) => {
  const { primary, chain } = await upload(t, stage(), []);
  const folder = await newPayload(0, { checksums: [] });
  chain.create(folder.job, folder.object, { status: 'SEALED', localVirtualGroupId: 1 });
  const update = await primary.newUpdate(folder, 3_000);
  await primary.upload(update);
  await primary.reaches(update, 'SEAL_OBJECT_DONE');
  t.is(chain.objects.get(folder.job.objectId)?.version, 1);
});

test('the segments of the old version outlive the seal of the new one, for open downloads', async (t) => {
  const { primary, chain, payload } = await upload(t, stage(), []);
  await primary.reaches(payload, 'SEAL_OBJECT_DONE');
  const update = await primary.newUpdate(payload, 3_000);
  const whole: boolean[] = [];
  primary.peers.columns.clear();
  primary.peers.onOffer = async () => {
    whole.push((await primary.storedSegments(payload)).every((segment) => segment));
  };
  await primary.upload(update);
  await primary.reaches(update, 'SEAL_OBJECT_DONE');
  t.deepEqual(whole, [true, true, true, true, true, true]);
  await eventually('the queue forgets it', async () => !(await primary.ground.queue.has(update.job)));
  t.true((await primary.storedSegments(payload)).every((segment) => segment));
  const stored = await primary.storedSegments(update);
  t.deepEqual(Buffer.concat(stored.map((segment) => segment ?? Buffer.of())), Buffer.from(update.bytes));
  t.is(chain.objects.get(payload.job.objectId)?.version, 1);
});

test('an object that is deleted while its seal is pending ends the job', async (t) => {
  const { primary, payload, chain } = await upload(t, stage(), [
    () => {
      chain.objects.delete(payload.job.objectId);
      return { code: 0, codespace: '', log: '' };
    },
  ]);
  await primary.reaches(payload, 'OBJECT_DISCONTINUED');
  t.is(chain.broadcasts.length, 1);
});
