import test, { type ExecutionContext } from 'ava';
import { SigningAccount } from '#actors/chain/signing-account';
import type { SealOrder, SigningOrder } from '#actors/chain/signing-order';
import { ChainError, isChainError } from '#protocols/greenfield/chain-errors';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import { type ChainFixture, createBucket, startChain } from '../devnet/chain/testing.ts';
import { createWaitingObject, keysOf, type WaitingObject } from './offers.ts';

const { signal } = new AbortController();

async function start(t: ExecutionContext, objects: number) {
  const fixture = await startChain(t, { storage: { maxSegmentSize: 1024 } });
  await createBucket(fixture, 'bucket-1', 1);
  const waiting = await Promise.all(
    Array.from({ length: objects }, () => createWaitingObject(fixture, 'bucket-1')),
  );
  return { fixture, waiting };
}

function accountOf(fixture: ChainFixture, holdMs = 60_000): SigningAccount {
  return new SigningAccount({ key: keysOf(fixture, 1).seal, chain: fixture.chain, holdMs });
}

function sealOf(fixture: ChainFixture, { job, bucketName, objectName, checksums }: WaitingObject): SealOrder {
  const aggregateSignature = fixture.aggregate([2, 3, 4, 5, 6, 7], 1, job.objectId, checksums);
  return { kind: 'seal', bucketName, objectName, gvgId: 1, aggregateSignature, checksums };
}

async function included(t: ExecutionContext, { chain }: ChainFixture, { hash }: SignedTransaction) {
  for (let tries = 0; tries < 500; tries += 1) {
    const found = await chain.transaction(hash);
    if (found) return t.is(found.code, 0, found.log);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return t.fail(`${hash} is in no block`);
}

test('seals signed ahead are all accepted, each with its own sequence', async (t) => {
  const { fixture, waiting } = await start(t, 5);
  const account = accountOf(fixture);
  const signed: SignedTransaction[] = [];
  for (const object of waiting) signed.push(await account.sign(sealOf(fixture, object), signal));
  t.deepEqual(
    signed.map(({ sequence }) => sequence),
    [0, 1, 2, 3, 4],
  );
  for (const transaction of signed) t.is((await account.broadcast(transaction, signal)).code, 0);
  for (const transaction of signed) await included(t, fixture, transaction);
  const sealed = await fixture.chain.objectById(waiting[4]?.job.objectId ?? '');
  t.is(sealed?.object.status, 'SEALED');
});

test('a broadcast waits for the one signed before it, up to a limit', async (t) => {
  const { fixture, waiting } = await start(t, 2);
  const account = accountOf(fixture);
  const [a, b] = await Promise.all(waiting.map((object) => sealOf(fixture, object)));
  if (!a || !b) return t.fail();
  const first = await account.sign(a, signal);
  const second = await account.sign(b, signal);
  t.is(account.wait(first), 0);
  t.true(account.wait(second) > 0);
  t.is((await account.broadcast(first, signal)).code, 0);
  t.is(account.wait(second), 0);

  const hasty = accountOf(fixture, 0);
  await included(t, fixture, first);
  const lost = await hasty.sign(b, signal);
  t.is(hasty.wait(lost), 0);
  t.is((await hasty.sign(b, signal)).sequence, lost.sequence);
});

test('a sequence used elsewhere is learned from the refusal, and the next signature is good', async (t) => {
  const { fixture, waiting } = await start(t, 2);
  const [a, b] = waiting;
  if (!a || !b) return t.fail();
  const account = accountOf(fixture);
  const early = await account.sign(sealOf(fixture, a), signal);
  const elsewhere = accountOf(fixture);
  const other = await elsewhere.sign(sealOf(fixture, b), signal);
  t.is((await elsewhere.broadcast(other, signal)).code, 0);
  t.true(isChainError(await account.broadcast(early, signal), ChainError.WRONG_SEQUENCE));
  const again = await account.sign(sealOf(fixture, a), signal);
  t.is(again.sequence, other.sequence + 1);
  t.is((await account.broadcast(again, signal)).code, 0);
  await included(t, fixture, again);
});

test("a new signer continues at the chain's sequence", async (t) => {
  const { fixture, waiting } = await start(t, 2);
  const [a, b] = waiting;
  if (!a || !b) return t.fail();
  const before = accountOf(fixture);
  const first = await before.sign(sealOf(fixture, a), signal);
  await before.broadcast(first, signal);
  await included(t, fixture, first);
  const after = accountOf(fixture);
  const second = await after.sign(sealOf(fixture, b), signal);
  t.is(second.sequence, 1);
  t.is((await after.broadcast(second, signal)).code, 0);
});

test('the same bytes may be broadcast again', async (t) => {
  const { fixture, waiting } = await start(t, 1);
  const [a] = waiting;
  if (!a) return t.fail();
  const account = accountOf(fixture);
  const transaction = await account.sign(sealOf(fixture, a), signal);
  t.is((await account.broadcast(transaction, signal)).code, 0);
  const again = await account.broadcast(transaction, signal);
  t.true(again.code === 0 || isChainError(again, ChainError.OBJECT_ALREADY_SEALED), again.log);
  await included(t, fixture, transaction);
});

test('a reject removes the object from the chain', async (t) => {
  const { fixture, waiting } = await start(t, 1);
  const [a] = waiting;
  if (!a) return t.fail();
  const account = accountOf(fixture);
  const { bucketName, objectName, job } = a;
  const transaction = await account.sign({ kind: 'reject', bucketName, objectName }, signal);
  t.is((await account.broadcast(transaction, signal)).code, 0);
  await included(t, fixture, transaction);
  t.is(await fixture.chain.objectById(job.objectId), undefined);
});

test('an account unknown to the chain is a clear, retryable error', async (t) => {
  const { fixture } = await start(t, 0);
  const key = fixture.key('11'.repeat(32));
  const account = new SigningAccount({ key, chain: fixture.chain, holdMs: 1000 });
  const order: SigningOrder = { kind: 'reject', bucketName: 'bucket-1', objectName: 'x' };
  await t.throwsAsync(account.sign(order, signal), { code: 'signing-account-unknown' });
});
