import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { blsAggregate } from '#protocols/greenfield/bls';
import { ChainError, isChainError } from '#protocols/greenfield/chain-errors';
import { toHex } from '#protocols/greenfield/hex';
import { messageText } from '#protocols/greenfield/simulation';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import { sealDigest } from '#protocols/sealing/seal-document';
import { faultOf } from '#protocols/sealing/seal-refusal';
import { createActorSystem } from '#runtime/actors/system';
import type { BroadcastResult } from '#runtime/chain/chain';
import type { Roles } from '#runtime/jobs/roles';
import { silentLogger } from '#runtime/telemetry/logger';
import { SUPERVISION } from '../supervision.ts';
import { TestChain } from '../testing/chain.ts';
import { group, keysOf } from '../testing/providers.ts';
import { testObject } from '../testing/stage.ts';
import { type SignerLine, type SignerOptions, signer } from './signer.ts';
import type { SealOrder } from './signing-order.ts';

/** How a seal, or the object that asks for it, behaves. */
type Kind = 'good' | 'badly signed' | 'sealed already' | 'gone' | 'slow' | 'leaves';
const KINDS: readonly Kind[] = ['good', 'badly signed', 'sealed already', 'gone', 'slow', 'leaves'];

const GROUP = group(1, [2, 3, 4, 5, 6, 7]);
const BATCH_WAIT_MS = 50;
/** One that is alone and is never broadcast holds up others for so long; ms. */
const HOLD_MS = 200;
/** More than anybody needs, however slow the machine is. */
const MAX_SIGNINGS = 50;

/** A chain with an object for each of these kinds, what is to be sealed of them, and the signer of SP 1. */
async function scene(
  t: ExecutionContext,
  kinds: readonly Kind[],
  options: Pick<SignerOptions, 'sealsPerTransaction' | 'batchWaitMs' | 'holdMs'>,
) {
  const chain = new TestChain([GROUP]);
  const orders = await Promise.all(kinds.map((kind, index) => waitingObject(chain, kind, index)));
  const system = createActorSystem({ name: 'node', supervision: SUPERVISION, log: silentLogger });
  t.teardown(() => system.stop());
  const { seal: key } = keysOf(1);
  const ref = system.spawn('signer', signer({ key, chain, roles: onlyNode, line: noLine, ...options }));
  while (!system.tree().children[0]?.activity?.doing.startsWith('signing')) await sleep(1);
  return {
    chain,
    orders,
    stop: () => system.stop(),
    sign: (order: SealOrder) =>
      ref.ask<SignedTransaction>((reply) => ({ type: 'sign', order, reply }), { timeoutMs: 60_000 }),
    broadcast: (transaction: SignedTransaction) =>
      ref.ask<BroadcastResult>((reply) => ({ type: 'broadcast', transaction, reply }), {
        timeoutMs: 60_000,
      }),
  };
}

/** The SP has one node, and nobody else asks it. */
const { signal } = new AbortController();
const onlyNode: Roles = { hold: async (role) => ({ role, signal, release: async () => {} }) };
const noLine: SignerLine = {
  serve: (_answer, options) =>
    new Promise((resolve) => options.signal.addEventListener('abort', () => resolve())),
  call: () => Promise.reject(new Error('there is no other node')),
};

type Scene = Awaited<ReturnType<typeof scene>>;

async function waitingObject(chain: TestChain, kind: Kind, index: number): Promise<SealOrder> {
  const objectId = `${index + 1}`;
  const checksums = [0, 1, 2, 3, 4, 5, 6].map((column) => `${column}${index % 10}`.repeat(32));
  const object = testObject({ payloadSize: 1, maxSegmentSize: 16, objectName: `object ${index}`, checksums });
  if (kind !== 'gone') chain.create({ objectId, version: 0 }, object);
  if (kind === 'sealed already') chain.seal(objectId, GROUP.id);
  const digest = sealDigest({ chainId: chain.chainId, gvgId: GROUP.id, objectId, checksums });
  const signers = kind === 'badly signed' ? GROUP.secondarySpIds.slice(1) : GROUP.secondarySpIds;
  const signatures = await Promise.all(signers.map((id) => keysOf(id).bls.sign(digest)));
  const { bucketName, objectName } = object;
  const aggregateSignature = toHex(blsAggregate(signatures));
  return { kind: 'seal', bucketName, objectName, gvgId: GROUP.id, aggregateSignature, checksums };
}

/** What becomes of a seal, as the object sees it: persisted, broadcast, and signed again alone where that is the rule. */
async function outcomeOf({ sign, broadcast, chain }: Scene, order: SealOrder, kind: Kind): Promise<string> {
  for (let signings = 1; signings <= MAX_SIGNINGS; signings += 1) {
    const transaction = await sign({ ...order, ...(signings > 1 && { alone: true }) });
    if (kind === 'leaves') return 'left';
    await sleep(kind === 'slow' ? 2 * BATCH_WAIT_MS : 0);
    const result = await broadcast(transaction);
    if (result.code === 0) {
      const object = [...chain.objects.values()].find(({ objectName }) => objectName === order.objectName);
      return object?.status ?? 'gone';
    }
    const again = transaction.seals !== undefined || faultOf(result) === 'sequence';
    if (!again) return messageText(result);
  }
  return 'signed too often';
}

async function together(t: ExecutionContext, kinds: readonly Kind[], sealsPerTransaction: number) {
  const times = { batchWaitMs: BATCH_WAIT_MS, holdMs: HOLD_MS };
  const stage = await scene(t, kinds, { sealsPerTransaction, ...times });
  const outcomes = await Promise.all(
    kinds.map((kind, index) => outcomeOf(stage, stage.orders[index] as SealOrder, kind)),
  );
  await stage.stop();
  return { outcomes, chain: stage.chain };
}

test('each of many seals has the same result as alone, and no failing one costs a fee', async (t) => {
  const alone = new Map<Kind, string | undefined>();
  for (const kind of KINDS) alone.set(kind, (await together(t, [kind], 1)).outcomes[0]);
  t.is(alone.get('good'), 'SEALED');
  t.is(alone.get('slow'), 'SEALED');
  t.is(new Set(alone.values()).size, KINDS.length - 1);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 6 }),
      async (kinds, maxSeals) => {
        const { outcomes, chain } = await together(t, kinds, maxSeals);
        t.deepEqual(
          outcomes,
          kinds.map((kind) => alone.get(kind)),
        );
        const sealing = kinds.filter((kind) => kind === 'good' || kind === 'slow').length;
        t.is(chain.paid.flatMap(({ objects }) => objects).length, sealing);
        t.true(chain.paid.every(({ objects }) => objects.length <= maxSeals));
      },
    ),
    { numRuns: 15 },
  );
});

test('while the node answers no trials, each seal is sent alone', async (t) => {
  const stage = await scene(t, ['good', 'good', 'badly signed'], {});
  stage.chain.simulates = false;
  const outcomes = await Promise.all(stage.orders.map((order) => outcomeOf(stage, order, 'good')));
  t.deepEqual(outcomes, ['SEALED', 'SEALED', 'CREATED']);
  t.true(stage.chain.broadcasts.every(({ objects }) => objects.length === 1));
});

test('a transaction that was given up is never broadcast', async (t) => {
  const stage = await scene(t, ['good', 'good', 'good'], { batchWaitMs: BATCH_WAIT_MS });
  const [a, b, c] = stage.orders as [SealOrder, SealOrder, SealOrder];
  const first = await stage.sign(a);
  const [one, two] = [stage.sign(b), stage.sign(c)];
  t.is((await stage.broadcast(first)).code, 0);
  const shared = await one;
  t.is(shared.seals, 2);
  t.is((await two).hash, shared.hash);
  t.true(isChainError(await stage.broadcast(shared), ChainError.WRONG_SEQUENCE), 'the other does not come');
  t.is((await stage.broadcast(await stage.sign({ ...b, alone: true }))).code, 0);
  t.true(isChainError(await stage.broadcast(shared), ChainError.WRONG_SEQUENCE));
  t.is(stage.chain.objects.get('2')?.status, 'SEALED');
  t.is(stage.chain.objects.get('3')?.status, 'CREATED');
});
