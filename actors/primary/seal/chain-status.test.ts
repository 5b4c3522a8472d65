import test from 'ava';
import { Retryable } from '#protocols/errors';
import type { ObjectInfo, PendingUpdate } from '#protocols/greenfield/types';
import { TestChain } from '../../testing/chain.ts';
import { group } from '../../testing/providers.ts';
import { testObject } from '../../testing/stage.ts';
import { chainStatusOf } from './chain-status.ts';

const { signal } = new AbortController();
const GROUP = group(1, [2, 3, 4, 5, 6, 7]);
const CHECKSUMS = Array.from({ length: 7 }, (_, i) => String(i).repeat(64));
const OBJECT = testObject({
  payloadSize: 10,
  maxSegmentSize: 10,
  createdAt: 1_700_000_000,
  checksums: CHECKSUMS,
});
const SEALED: Partial<ObjectInfo> = { status: 'SEALED', localVirtualGroupId: 1 };

const UPDATING: Partial<ObjectInfo> = { ...SEALED, isUpdating: true, createdAt: OBJECT.createdAt - 100 };
/** The job's content, waiting beside the sealed version. */
const UPDATE: PendingUpdate = {
  updater: OBJECT.owner,
  payloadSize: OBJECT.payloadSize,
  contentType: OBJECT.contentType,
  checksums: OBJECT.checksums,
  updatedAt: OBJECT.createdAt,
  version: 1,
};
/** The sealed update. */
const UPDATED: Partial<ObjectInfo> = { ...SEALED, version: 1, updatedAt: OBJECT.createdAt };

function status(version: number, over?: Partial<ObjectInfo>, update?: PendingUpdate, object = OBJECT) {
  const chain = new TestChain([GROUP]);
  const id = { objectId: '1', version };
  if (over) chain.create(id, OBJECT, over);
  const { objectById } = chain;
  chain.objectById = async (objectId) => {
    const found = await objectById.call(chain, objectId);
    return found && update ? { ...found, update } : found;
  };
  return chainStatusOf({ id, object }, chain, signal);
}

test('an object is open until it is sealed, gone or discontinued', async (t) => {
  t.deepEqual(await status(0, {}), { kind: 'open' });
  t.deepEqual(await status(0, SEALED), { kind: 'sealed', gvgId: 1 });
  t.deepEqual(await status(0), {
    kind: 'gone',
    code: 'no-such-object',
    because: 'The object is gone from the chain.',
  });
  t.deepEqual(await status(0, { status: 'DISCONTINUED' }), {
    kind: 'gone',
    code: 'content-not-awaited',
    because: 'The object is discontinued.',
  });
});

test('an update is open beside the sealed old version until it is sealed or cancelled', async (t) => {
  t.deepEqual(await status(1, UPDATING, UPDATE), { kind: 'open' });
  t.deepEqual(await status(1, UPDATED), { kind: 'sealed', gvgId: 1 });
  t.deepEqual(await status(1, SEALED), {
    kind: 'gone',
    code: 'content-not-awaited',
    because: 'The update was cancelled.',
  });
});

for (const [what, other] of [
  ['at another time', { updatedAt: UPDATE.updatedAt + 5 }],
  ['with other checksums', { checksums: UPDATE.checksums.toReversed() }],
  ['with another size', { payloadSize: UPDATE.payloadSize + 1 }],
] as const) {
  test(`an update that was cancelled and announced again ${what} is over, although its version is the same`, async (t) => {
    const found = await status(1, UPDATING, { ...UPDATE, ...other });
    t.true(found.kind === 'gone' && /cancelled, and other content announced/.test(found.because));
  });
}

test('an update is over once other content was sealed instead', async (t) => {
  const found = await status(1, { ...UPDATED, updatedAt: UPDATE.updatedAt + 5 });
  t.true(found.kind === 'gone' && /sealed with other content/.test(found.because));
});

test('the seal of other bytes does not seal a delegated update', async (t) => {
  const delegated = { ...OBJECT, checksums: [] };
  const payload = { segmentChecksums: [], integrityHash: '', checksums: OBJECT.checksums };
  const chain = new TestChain([GROUP]);
  const context = { id: { objectId: '1', version: 1 }, object: delegated, payload };
  chain.create(context.id, OBJECT, UPDATED);
  t.deepEqual(await chainStatusOf(context, chain, signal), { kind: 'sealed', gvgId: 1 });
  chain.create(context.id, OBJECT, { ...UPDATED, checksums: OBJECT.checksums.toReversed() });
  t.is((await chainStatusOf(context, chain, signal)).kind, 'gone');
});

test('a replaced version counts as sealed, in a group that the chain no longer shows', async (t) => {
  t.deepEqual(await status(0, { ...SEALED, version: 1 }), { kind: 'sealed' });
});

test('an object counts as gone only if the chain node has seen its creation', async (t) => {
  const chain = new TestChain([GROUP]);
  const context = { id: { objectId: '1', version: 0 }, object: OBJECT };
  chain.time = OBJECT.createdAt * 1_000;
  const error = await t.throwsAsync(chainStatusOf(context, chain, signal), { instanceOf: Retryable });
  t.is(error?.code, 'chain-behind');

  // The node catches up between the two questions.
  const { latestBlock } = chain;
  chain.latestBlock = async () => {
    chain.create(context.id, OBJECT);
    chain.time += 60_000;
    return latestBlock.call(chain);
  };
  t.deepEqual(await chainStatusOf(context, chain, signal), { kind: 'open' });
});
