import test from 'ava';
import { Columns } from '#actors/ledger/column-record';
import { Retryable, Terminal } from '#protocols/errors';
import type { Receipt } from '#protocols/job/context';
import { pieceKey } from '#protocols/payload/keys';
import { checkReceipt } from '#protocols/replication/receipts';
import { verifySealSignature } from '#protocols/sealing/seal';
import type { ColumnOffer, PeerClient } from '#runtime/peers/peers';
import { createBucket } from '../devnet/chain/testing.ts';
import { createWaitingObject, offerOf, type WaitingObject } from './offers.ts';
import { join, startSecondary, startWorld, temporaryDirectory, until, type World } from './secondary.ts';

/** This SP is SP 3, which has index 1 in the only group of SP 1. */
const US = 3;
const INDEX = 1;

async function start(t: Parameters<typeof startWorld>[0], options: Parameters<typeof startWorld>[1] = {}) {
  const world = await startWorld(t, options);
  await createBucket(world.fixture, 'bucket-1', 1);
  const primary = (await join(t, world, 1)).peers.client;
  return { world, primary };
}

/** Sends the missing pieces, and waits for the receipt. */
async function replicate(
  client: PeerClient,
  offer: ColumnOffer,
  pieces: readonly Uint8Array[],
): Promise<{ receipt: Receipt; firstMissing: number }> {
  const session = await client.open(offer, {});
  try {
    const { firstMissing } = session;
    for (let i = firstMissing; i < pieces.length; i += 1) {
      await session.send({ segmentIndex: i, bytes: pieces[i] ?? new Uint8Array() });
    }
    return { receipt: await session.done(offer.checksums), firstMissing };
  } finally {
    session.close();
  }
}

async function checkAgainstChain(
  { fixture }: World,
  receipt: Receipt,
  { job, checksums }: WaitingObject,
  gvgId = 1,
): Promise<void> {
  const { chain } = fixture;
  const gvg = await chain.gvg(gvgId);
  const us = (await chain.storageProviders()).find(({ id }) => id === US);
  if (!gvg || !us) throw new Error('the chain does not know us');
  const subject = { chainId: chain.chainId, objectId: job.objectId, gvg, redundancyIndex: INDEX, checksums };
  await checkReceipt(receipt, subject, us, 'nats', verifySealSignature);
}

function columnOf(object: WaitingObject): readonly Uint8Array[] {
  return object.columns[INDEX] ?? [];
}

test('a column is stored, checked against the chain, recorded and answered with both signatures', async (t) => {
  const { world, primary } = await start(t);
  const us = await startSecondary(t, world, US);
  for (const redundancy of ['EC', 'REPLICA'] as const) {
    const object = await createWaitingObject(world.fixture, 'bucket-1', { redundancy });
    const offer = await offerOf(world.fixture, object, { redundancyIndex: INDEX });
    const { receipt, firstMissing } = await replicate(primary, offer, columnOf(object));
    t.is(firstMissing, 0);
    await t.notThrowsAsync(checkAgainstChain(world, receipt, object));
    for (const [segment, piece] of columnOf(object).entries()) {
      t.deepEqual(
        Buffer.from(await us.ports.pieces.get(pieceKey(object.job, segment, INDEX))),
        Buffer.from(piece),
      );
    }
    const record = await new Columns(us.ports).get(offer);
    t.deepEqual(record?.receipt, receipt);
    t.deepEqual(record?.held?.checksums, object.checksums);
  }
  await until(() => us.system.tree().children[0]?.children.length === 0);
});

test('an interrupted column resumes at its first missing piece, even after a restart', async (t) => {
  const { world, primary } = await start(t);
  const directory = await temporaryDirectory(t);
  const before = await startSecondary(t, world, US, { directory });
  const object = await createWaitingObject(world.fixture, 'bucket-1');
  const offer = await offerOf(world.fixture, object, { redundancyIndex: INDEX });
  const pieces = columnOf(object);
  const session = await primary.open(offer, {});
  await session.send({ segmentIndex: 0, bytes: pieces[0] ?? new Uint8Array() });
  await session.send({ segmentIndex: 1, bytes: pieces[1] ?? new Uint8Array() });
  await until(async () => (await before.ports.pieces.stat(pieceKey(object.job, 1, INDEX))) !== undefined);
  await before.stop();
  session.close();

  await startSecondary(t, world, US, { directory });
  const { receipt, firstMissing } = await replicate(primary, offer, pieces);
  t.is(firstMissing, 2);
  await t.notThrowsAsync(checkAgainstChain(world, receipt, object));
});

test('a finished column gets its stored receipt after a restart', async (t) => {
  const { world, primary } = await start(t);
  const directory = await temporaryDirectory(t);
  const before = await startSecondary(t, world, US, { directory });
  const object = await createWaitingObject(world.fixture, 'bucket-1');
  const offer = await offerOf(world.fixture, object, { redundancyIndex: INDEX });
  const first = await replicate(primary, offer, columnOf(object));
  await before.stop();
  await startSecondary(t, world, US, { directory });
  const again = await replicate(primary, offer, columnOf(object));
  t.is(again.firstMissing, columnOf(object).length);
  t.deepEqual(again.receipt, first.receipt);
});

test('a finished column is signed for again, but not sent again, in another group where our index is the same', async (t) => {
  const other = { id: 99, familyId: 1, primarySpId: 1, secondarySpIds: [2, 3, 7, 6, 5, 4] };
  const { world, primary } = await start(t, { moreGvgs: [other] });
  await startSecondary(t, world, US);
  const object = await createWaitingObject(world.fixture, 'bucket-1');
  const offer = await offerOf(world.fixture, object, { redundancyIndex: INDEX });
  const first = await replicate(primary, offer, columnOf(object));
  const moved = await offerOf(world.fixture, object, { redundancyIndex: INDEX, gvgId: other.id });
  const again = await replicate(primary, moved, columnOf(object));
  t.is(again.firstMissing, columnOf(object).length);
  t.not(again.receipt.blsSignature, first.receipt.blsSignature);
  await t.notThrowsAsync(checkAgainstChain(world, again.receipt, object, other.id));
});

test('wrong bytes are never signed for, and are deleted', async (t) => {
  const { world, primary } = await start(t);
  const us = await startSecondary(t, world, US);
  const object = await createWaitingObject(world.fixture, 'bucket-1');
  const offer = await offerOf(world.fixture, object, { redundancyIndex: INDEX });
  const wrong = columnOf(object).map((piece) => Uint8Array.from(piece, (byte) => byte ^ 1));
  const refusal = { instanceOf: Terminal, code: 'receipt-refused', message: /integrity-mismatch/ };
  await t.throwsAsync(replicate(primary, offer, wrong), refusal);
  t.is(await us.ports.pieces.stat(pieceKey(object.job, 0, INDEX)), undefined);
  t.is(await new Columns(us.ports).get(offer), undefined);
  const { receipt } = await replicate(primary, offer, columnOf(object));
  await t.notThrowsAsync(checkAgainstChain(world, receipt, object));
});

test('a column that cannot be recorded is not signed for', async (t) => {
  const { world, primary } = await start(t);
  const us = await startSecondary(t, world, US);
  const object = await createWaitingObject(world.fixture, 'bucket-1');
  const offer = await offerOf(world.fixture, object, { redundancyIndex: INDEX });
  const pieces = columnOf(object);
  const session = await primary.open(offer, {});
  for (const [segmentIndex, bytes] of pieces.entries()) await session.send({ segmentIndex, bytes });
  const last = pieceKey(object.job, pieces.length - 1, INDEX);
  await until(async () => (await us.ports.pieces.stat(last)) !== undefined);
  await us.journal.close();
  await t.throwsAsync(session.done(offer.checksums), { instanceOf: Retryable });
  session.close();
});

test('wrong pieces of an earlier try are discarded, and the next try succeeds', async (t) => {
  const { world, primary } = await start(t);
  const us = await startSecondary(t, world, US);
  for (const segment of [0, 2]) {
    const object = await createWaitingObject(world.fixture, 'bucket-1');
    const offer = await offerOf(world.fixture, object, { redundancyIndex: INDEX });
    const rotten = new Uint8Array(columnOf(object)[segment]?.length ?? 0).fill(0xee);
    await us.ports.pieces.put(pieceKey(object.job, segment, INDEX), rotten);
    const refusal = { instanceOf: Retryable, code: 'receipt-refused', message: /column-discarded/ };
    await t.throwsAsync(replicate(primary, offer, columnOf(object)), refusal);
    const { receipt, firstMissing } = await replicate(primary, offer, columnOf(object));
    t.is(firstMissing, 0);
    await t.notThrowsAsync(checkAgainstChain(world, receipt, object));
  }
});

test('an offer not confirmed by the chain is refused, and nothing is stored', async (t) => {
  const { world, primary } = await start(t);
  const us = await startSecondary(t, world, US);
  const object = await createWaitingObject(world.fixture, 'bucket-1');
  const offer = await offerOf(world.fixture, object, { redundancyIndex: INDEX });
  const lying = { ...offer, objectName: 'another' };
  await t.throwsAsync(primary.open(lying, {}), { instanceOf: Terminal, code: 'offer-refused' });
  t.is(await new Columns(us.ports).get(offer), undefined);
});

test('a repeated offer replaces the previous one', async (t) => {
  const { world, primary } = await start(t);
  await startSecondary(t, world, US);
  const object = await createWaitingObject(world.fixture, 'bucket-1');
  const offer = await offerOf(world.fixture, object, { redundancyIndex: INDEX });
  const stalled = await primary.open(offer, {});
  await stalled.send({ segmentIndex: 0, bytes: columnOf(object)[0] ?? new Uint8Array() });
  const { receipt } = await replicate(primary, offer, columnOf(object));
  await t.notThrowsAsync(checkAgainstChain(world, receipt, object));
  stalled.close();
});
