import test from 'ava';
import { Retryable } from '../protocols/errors.ts';
import type { ObjectInfo, PendingUpdate } from '../protocols/greenfield/types.ts';
import { standingOf } from './standing.ts';
import { TestChain } from './testing/chain.ts';
import { group } from './testing/providers.ts';
import { testObject } from './testing/stage.ts';

const { signal } = new AbortController();
const GROUP = group(1, [2, 3, 4, 5, 6, 7]);
const OBJECT = testObject({ payloadSize: 10, maxSegmentSize: 10, createdAt: 1_700_000_000 });
const SEALED: Partial<ObjectInfo> = { status: 'SEALED', localVirtualGroupId: 1 };

function standing(version: number, over?: Partial<ObjectInfo>, update?: Partial<PendingUpdate>) {
  const chain = new TestChain([GROUP]);
  const id = { objectId: '1', version };
  if (over) chain.create(id, OBJECT, over);
  const { objectById } = chain;
  chain.objectById = async (objectId) => {
    const found = await objectById.call(chain, objectId);
    return found && update ? { ...found, update: update as PendingUpdate } : found;
  };
  return standingOf({ id, object: OBJECT }, chain, signal);
}

test('an object stands open until it is sealed, gone or discontinued', async (t) => {
  t.deepEqual(await standing(0, {}), { kind: 'open' });
  t.deepEqual(await standing(0, SEALED), { kind: 'sealed', gvgId: 1 });
  t.deepEqual(await standing(0), { kind: 'gone' });
  t.deepEqual(await standing(0, { status: 'DISCONTINUED' }), { kind: 'gone' });
});

test('an update stands open beside the sealed old version, until it is sealed or called off', async (t) => {
  const updating = { ...SEALED, isUpdating: true };
  t.deepEqual(await standing(1, updating, { version: 1 }), { kind: 'open' });
  t.deepEqual(await standing(1, updating), { kind: 'open' });
  t.deepEqual(await standing(1, { ...SEALED, version: 1 }), { kind: 'sealed', gvgId: 1 });
  t.deepEqual(await standing(1, SEALED), { kind: 'gone' });
});

test('a version that was replaced has been sealed, in a group that the chain no longer tells', async (t) => {
  t.deepEqual(await standing(0, { ...SEALED, version: 1 }), { kind: 'sealed' });
});

test('that an object is gone counts only by the word of a node that has seen its creation', async (t) => {
  const chain = new TestChain([GROUP]);
  const context = { id: { objectId: '1', version: 0 }, object: OBJECT };
  chain.time = OBJECT.createdAt * 1_000;
  const error = await t.throwsAsync(standingOf(context, chain, signal), { instanceOf: Retryable });
  t.is(error?.code, 'chain-behind');

  // The node catches up between the two questions.
  const { latestBlock } = chain;
  chain.latestBlock = async () => {
    chain.create(context.id, OBJECT);
    chain.time += 60_000;
    return latestBlock.call(chain);
  };
  t.deepEqual(await standingOf(context, chain, signal), { kind: 'open' });
});
