import test, { type ExecutionContext } from 'ava';
import { checkOffer } from '#actors/secondary/column/check-offer';
import { Retryable, Terminal } from '#protocols/errors';
import { pieceKey } from '#protocols/payload/keys';
import type { AgeOptions } from '#runtime/chain/chain';
import type { ColumnOffer } from '#runtime/peers/peers';
import { type ChainFixture, createBucket, startChain } from '../devnet/chain/testing.ts';
import { approvalOf, createWaitingObject, encode, keysOf, offerOf } from './offers.ts';

/** This SP is SP 3, which has index 1 in the only group of SP 1. */
const US = 3;
const PLACE = { redundancyIndex: 1 };
const SMALL = { storage: { maxSegmentSize: 1024 } };

async function start(t: ExecutionContext): Promise<ChainFixture> {
  const fixture = await startChain(t, SMALL);
  await createBucket(fixture, 'bucket-1', 1);
  return fixture;
}

function check(
  fixture: ChainFixture,
  offer: ColumnOffer,
  options: { signal?: AbortSignal; lag?: number } = {},
) {
  const timing = { chainLagMs: options.lag ?? 0, chainPollMs: 10 };
  const ports = { chain: fixture.chain, spId: US, keys: keysOf(fixture, US), timing };
  return checkOffer(offer, ports, options.signal ?? new AbortController().signal);
}

test('an offer that the chain confirms is accepted, with the chain’s own facts', async (t) => {
  const fixture = await start(t);
  const object = await createWaitingObject(fixture, 'bucket-1');
  const { gvg, plan, content } = await check(fixture, await offerOf(fixture, object, PLACE));
  t.is(gvg.id, 1);
  t.is(plan.segmentCount, 3);
  t.deepEqual(content.checksums, object.checksums);
});

test('an offer that differs from the chain is refused for good', async (t) => {
  const fixture = await start(t);
  await createBucket(fixture, 'bucket-2', 2);
  const object = await createWaitingObject(fixture, 'bucket-1');
  const other = await createWaitingObject(fixture, 'bucket-2');
  const offer = await offerOf(fixture, object, PLACE);
  const refused = async (changes: Partial<ColumnOffer>, code: string) => {
    await t.throwsAsync(check(fixture, { ...offer, ...changes }), { instanceOf: Terminal, code });
  };
  await refused({ objectName: 'another' }, 'offer-differs');
  await refused({ payloadSize: object.payload.length + 1 }, 'offer-differs');
  await refused({ redundancy: 'REPLICA' }, 'offer-differs');
  await refused({ maxSegmentSize: 2048 }, 'offer-differs');
  await refused({ dataChunks: 2, parityChunks: 4 }, 'offer-differs');
  await refused({ checksums: [...offer.checksums].reverse() }, 'offer-differs');
  await refused({ checksums: [] }, 'offer-differs');
  const approval = await approvalOf(fixture, object.job, { spId: US, gvgId: 1, redundancyIndex: 0 });
  await refused({ redundancyIndex: 0, approval }, 'wrong-place');
  await refused({ from: 2, approval: '' }, 'not-primary');
  const foreign = await offerOf(fixture, { ...other, bucketName: 'bucket-2' }, PLACE);
  await t.throwsAsync(check(fixture, foreign), { instanceOf: Terminal, code: 'wrong-family' });
});

test('an object that does not wait for this content is refused: sealed, replaced, or another version', async (t) => {
  const fixture = await start(t);
  const object = await createWaitingObject(fixture, 'bucket-1');
  const offer = await offerOf(fixture, object, PLACE);
  const aggregate = fixture.aggregate([2, 3, 4, 5, 6, 7], 1, object.job.objectId, object.checksums);
  await fixture.sp(1, 'seal').send({
    typeUrl: '/greenfield.storage.MsgSealObject',
    value: {
      operator: fixture.sp(1, 'seal').address,
      bucketName: object.bucketName,
      objectName: object.objectName,
      globalVirtualGroupId: 1,
      secondarySpBlsAggSignatures: aggregate,
    },
  });
  await t.throwsAsync(check(fixture, offer), { instanceOf: Terminal, code: 'object-not-waiting' });

  const next = await encode(fixture, new Uint8Array(1500).fill(7));
  await fixture.user.updateObject({ ...object, ...next, payloadSize: next.payload.length });
  await t.throwsAsync(check(fixture, offer), { instanceOf: Terminal, code: 'object-not-waiting' });
  const updated = { ...object, ...next, job: { ...object.job, version: 1 } };
  const update = await offerOf(fixture, updated, PLACE);
  const place = await check(fixture, update);
  t.deepEqual(place.content.checksums, next.checksums);
  t.is(place.plan.payloadSize, 1500);
  t.not(pieceKey(update.job, 0, 1), pieceKey(offer.job, 0, 1));
});

test('no offer is refused because of a cached answer: the chain is queried again first', async (t) => {
  const fixture = await start(t);
  const object = await createWaitingObject(fixture, 'bucket-1');
  const offer = await offerOf(fixture, object, PLACE);
  const { chain } = fixture;
  const outdated: Partial<Record<string | symbol, unknown>> = {
    gvg: async (id: number, options: AgeOptions) => {
      const gvg = await chain.gvg(id, options);
      return options.age === undefined || options.age === 'now' ? gvg : gvg && { ...gvg, primarySpId: 7 };
    },
    objectById: (id: string, options: AgeOptions) =>
      options.age === undefined || options.age === 'now' ? chain.objectById(id, options) : undefined,
  };
  const remembering = new Proxy(chain, {
    get(target, name) {
      const value = outdated[name] ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  t.is((await check({ ...fixture, chain: remembering }, offer)).gvg.primarySpId, 1);
});

test('an object unknown to our chain node is waited for, then refused for now', async (t) => {
  const fixture = await start(t);
  const objectName = 'late';
  const encoded = await encode(fixture, new Uint8Array(100));
  const late = { ...encoded, job: { objectId: '1', version: 0 }, bucketName: 'bucket-1', objectName };
  const offer = await offerOf(fixture, late, PLACE);
  await t.throwsAsync(check(fixture, offer), { instanceOf: Retryable, code: 'object-unknown' });
  const checked = check(fixture, offer, { lag: 20_000 });
  await fixture.user.createObject({ ...late, payloadSize: 100, checksums: encoded.checksums });
  t.is((await checked).gvg.id, 1);
  const approval = await approvalOf(fixture, late.job, { spId: US, gvgId: 99, redundancyIndex: 1 });
  const unknown = check(fixture, { ...offer, gvgId: 99, approval });
  await t.throwsAsync(unknown, { instanceOf: Retryable, code: 'group-unknown' });
});

test('waiting for the chain ends with the signal', async (t) => {
  const fixture = await start(t);
  const encoded = await encode(fixture, new Uint8Array(100));
  const never = { ...encoded, job: { objectId: '77', version: 0 }, bucketName: 'bucket-1', objectName: 'x' };
  const stop = new AbortController();
  const checked = check(fixture, await offerOf(fixture, never, PLACE), { lag: 60_000, signal: stop.signal });
  stop.abort();
  await t.throwsAsync(checked);
});
