import test, { type ExecutionContext } from 'ava';
import { type SignerMessage, signer } from '#actors/chain/signer';
import { signerLine } from '#actors/chain/signer-line';
import type { SealOrder } from '#actors/chain/signing-order';
import { SUPERVISION } from '#actors/supervision';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import { createActorSystem } from '#runtime/actors/system';
import type { Ref } from '#runtime/actors/types';
import type { BroadcastResult } from '#runtime/chain/chain';
import { natsCalls } from '#runtime/home/nats-calls';
import { openRoles } from '#runtime/jobs/nats-roles';
import { connectNats } from '#runtime/nats/connect';
import { startNatsServer } from '#runtime/nats/server';
import { silentLogger } from '#runtime/telemetry/logger';
import { type ChainFixture, createBucket, startChain } from '../devnet/chain/testing.ts';
import { createWaitingObject, keysOf, type WaitingObject } from './offers.ts';
import { until } from './secondary.ts';

const timeoutMs = 20_000;

async function start(t: ExecutionContext, objects: number) {
  const fixture = await startChain(t, { storage: { maxSegmentSize: 1024 } });
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  await createBucket(fixture, 'bucket-1', 1);
  const waiting = await Promise.all(
    Array.from({ length: objects }, () => createWaitingObject(fixture, 'bucket-1')),
  );
  return { fixture, waiting, node: (name: string) => startNode(t, fixture, server.url, name) };
}

/** The signer of one node of SP 1. */
async function startNode(
  t: ExecutionContext,
  { chain, ...fixture }: ChainFixture,
  url: string,
  name: string,
) {
  const log = silentLogger;
  const connection = await connectNats({ url, name, log });
  const roles = await openRoles({ connection, ackWaitMs: 1_000, log });
  const system = createActorSystem({ name, supervision: SUPERVISION, log });
  const { seal: key } = keysOf({ chain, ...fixture }, 1);
  const line = signerLine(natsCalls(connection, log), key.address);
  const ref: Ref<SignerMessage> = system.spawn('signer', signer({ key, chain, roles, line }));
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= system.stop().then(() => connection.close());
    return stopped;
  };
  t.teardown(stop);
  const holds = () => system.tree().children[0]?.activity?.doing.startsWith('signing') ?? false;
  return { ref, stop, holds };
}

function sign(ref: Ref<SignerMessage>, order: SealOrder): Promise<SignedTransaction> {
  return ref.ask<SignedTransaction>((reply) => ({ type: 'sign', order, reply }), { timeoutMs });
}

function broadcast(ref: Ref<SignerMessage>, transaction: SignedTransaction): Promise<BroadcastResult> {
  return ref.ask<BroadcastResult>((reply) => ({ type: 'broadcast', transaction, reply }), { timeoutMs });
}

function sealOf(fixture: ChainFixture, { job, bucketName, objectName, checksums }: WaitingObject): SealOrder {
  const aggregateSignature = fixture.aggregate([2, 3, 4, 5, 6, 7], 1, job.objectId, checksums);
  return { kind: 'seal', bucketName, objectName, gvgId: 1, aggregateSignature, checksums };
}

async function sealed({ chain }: ChainFixture, { job }: WaitingObject): Promise<boolean> {
  return (await chain.objectById(job.objectId))?.object.status === 'SEALED';
}

test('seals that become ready during another one share a transaction, which the chain accepts', async (t) => {
  const { fixture, waiting, node } = await start(t, 8);
  const { ref, holds } = await node('a');
  await until(holds);
  const signed = await Promise.all(
    waiting.map(async (object) => {
      const transaction = await sign(ref, sealOf(fixture, object));
      t.is((await broadcast(ref, transaction)).code, 0);
      return transaction;
    }),
  );
  t.deepEqual(
    signed.map(({ seals }) => seals),
    [undefined, 7, 7, 7, 7, 7, 7, 7],
  );
  t.is(new Set(signed.map(({ hash }) => hash)).size, 2);
  await until(async () =>
    (await Promise.all(waiting.map((object) => sealed(fixture, object)))).every(Boolean),
  );
  t.is((await fixture.chain.transaction(signed[1]?.hash ?? ''))?.responses.length, 7);
});

test('a seal that the chain would refuse leaves its neighbours alone', async (t) => {
  const { fixture, waiting, node } = await start(t, 4);
  const { ref, holds } = await node('a');
  await until(holds);
  const orders = waiting.map((object) => sealOf(fixture, object));
  const [, , bad] = orders as [SealOrder, SealOrder, SealOrder];
  const codes = await Promise.all(
    orders.map(async (order) => {
      const wrong = { ...order, aggregateSignature: orders[0]?.aggregateSignature ?? '' };
      return (await broadcast(ref, await sign(ref, order === bad ? wrong : order))).code;
    }),
  );
  t.is(codes.filter((code) => code === 0).length, 3);
  t.not(codes[2], 0);
  await until(async () => {
    const seen = await Promise.all(waiting.map((object) => sealed(fixture, object)));
    return seen.filter(Boolean).length === 3;
  });
  t.false(await sealed(fixture, waiting[2] as WaitingObject));
});

test('one node signs for all, and another takes over when it stops', async (t) => {
  const { fixture, waiting, node } = await start(t, 2);
  const [a, b] = waiting;
  if (!a || !b) return t.fail();
  const holder = await node('a');
  await until(holder.holds);
  const other = await node('b');
  const first = await sign(other.ref, sealOf(fixture, a));
  t.false(other.holds());
  t.is((await broadcast(other.ref, first)).code, 0);
  await until(() => sealed(fixture, a));
  const foreign = { ...first, bytes: '00' };
  t.not((await broadcast(other.ref, foreign)).code, 0, 'a refusal by the chain is an answer');

  await holder.stop();
  await until(other.holds);
  const second = await sign(other.ref, sealOf(fixture, b));
  t.is(second.sequence, 1);
  t.is((await broadcast(other.ref, second)).code, 0);
  await until(() => sealed(fixture, b));
});

test('a chain that does not answer fails the request, and the signer keeps running', async (t) => {
  const { fixture, waiting, node } = await start(t, 1);
  const [a] = waiting;
  if (!a) return t.fail();
  const { ref, holds } = await node('a');
  await until(holds);
  await fixture.stop();
  await t.throwsAsync(sign(ref, sealOf(fixture, a)), { code: 'chain-unavailable' });
  t.true(holds());
});
