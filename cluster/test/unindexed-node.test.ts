import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { signer } from '#actors/chain/signer';
import { signerLine } from '#actors/chain/signer-line';
import type { SealOrder } from '#actors/chain/signing-order';
import { submitAndConfirm } from '#actors/chain/submit-and-confirm';
import { SUPERVISION } from '#actors/supervision';
import { except } from '#actors/testing/primary';
import { MIN_GAS_PRICE } from '#protocols/greenfield/fees';
import type { Simulation } from '#protocols/greenfield/simulation';
import type { SignedTransaction } from '#protocols/greenfield/transaction';
import { createActorSystem } from '#runtime/actors/system';
import type { Chain } from '#runtime/chain/chain';
import { connectChain } from '#runtime/chain/connect';
import { natsCalls } from '#runtime/home/nats-calls';
import { openRoles } from '#runtime/jobs/nats-roles';
import { connectNats } from '#runtime/nats/connect';
import { startNatsServer } from '#runtime/nats/server';
import { silentLogger as log } from '#runtime/telemetry/logger';
import { DevnetDecisions } from '../client/devnet-decisions.ts';
import { type ChainFixture, createBucket, startChain } from '../devnet/chain/testing.ts';
import { createWaitingObject, keysOf } from './offers.ts';
import { until } from './until.ts';

const { signal } = new AbortController();

/** A chain node that answers as with `tx_index.indexer` = "null". */
async function withoutIndex(t: ExecutionContext, rpc: string): Promise<string> {
  const proxy = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const body = Buffer.concat(chunks).toString();
      const { id, method } = JSON.parse(body) as { id: number; method: string };
      const refused = { code: -32603, message: 'Internal error', data: 'transaction indexing is disabled' };
      const answer = method.startsWith('tx')
        ? JSON.stringify({ jsonrpc: '2.0', id, error: refused })
        : await (await fetch(rpc, { method: 'POST', body })).text();
      response.end(answer);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

interface Sealing {
  readonly fixture: ChainFixture;
  /** Has the seal of the object signed, and submits it. */
  seal(): ReturnType<typeof submitAndConfirm<'sealed'>>;
}

/** SP 1, and an object that waits for its seal. */
async function start(
  t: ExecutionContext,
  change: (chain: Chain) => Chain = (chain) => chain,
): Promise<Sealing> {
  const fixture = await startChain(t, { storage: { maxSegmentSize: 1024 } });
  await createBucket(fixture, 'bucket-1', 1);
  const object = await createWaitingObject(fixture, 'bucket-1');
  const server = await startNatsServer();
  const connection = await connectNats({ url: server.url, name: 'test', log });
  const system = createActorSystem({ name: 'test', supervision: SUPERVISION, log });
  const node = await connectChain({
    rpc: await withoutIndex(t, fixture.rpc),
    chainId: fixture.chain.chainId,
  });
  t.teardown(async () => {
    await system.stop();
    node.close();
    await connection.close();
    await server.stop();
  });
  const chain = change(node);
  const { seal: key } = keysOf(fixture, 1);
  const roles = await openRoles({ connection, log });
  const line = signerLine(natsCalls(connection, log), key.address);
  const ref = system.spawn('signer', signer({ key, chain, roles, line }));
  await until('it signs', async () => system.tree().children[0]?.activity?.doing.startsWith('signing'));
  const { job, bucketName, objectName, checksums } = object;
  const aggregateSignature = fixture.aggregate([2, 3, 4, 5, 6, 7], 1, job.objectId, checksums);
  const order: SealOrder = { kind: 'seal', bucketName, objectName, gvgId: 1, aggregateSignature, checksums };
  const look = async () =>
    (await chain.objectById(job.objectId))?.object.status === 'SEALED' ? ('sealed' as const) : undefined;
  const timing = { inclusionTimeoutMs: 60_000, chainPollMs: 20, rebroadcastMs: 200 };
  return {
    fixture,
    seal: async () => {
      const transaction = await ref.ask<SignedTransaction>((reply) => ({ type: 'sign', order, reply }));
      return submitAndConfirm(
        transaction,
        { chain, signer: ref, timing },
        { what: 'seal', findResult: look, signal, say: () => {} },
      );
    },
  };
}

test('seals succeed with a chain node that has no index of transactions', async (t) => {
  const { seal } = await start(t);
  t.is(await seal(), 'sealed');
});

test('a failure in a block is recognised by the used sequence, and the seal is signed again', async (t) => {
  // The answer of a node before the account froze. (A node that does not answer is skipped for 10 s.)
  const accepted: Simulation = { kind: 'accepted', gasUsed: 1_200, minGasPrice: MIN_GAS_PRICE };
  let knows = false;
  const { fixture, seal } = await start(t, (chain) =>
    except(chain, {
      simulate: async (...about) => (knows ? chain.simulate(...about) : accepted),
    }),
  );
  const { user, rpc } = fixture;
  await new DevnetDecisions(rpc).useUpBalance(user.address);
  t.like(await seal(), { kind: 'refused', spent: true, refusal: { codespace: 'sdk', code: 32 } });

  knows = true;
  t.like(await seal(), { kind: 'refused', spent: false, refusal: { codespace: 'storage', code: 1123 } });
  await user.deposit(user.address, 10n ** 18n);
  t.is(await seal(), 'sealed');
  const { address } = fixture.sp(1, 'seal');
  t.is((await fixture.chain.account(address))?.sequence, 2, 'one failed in a block, one sealed');
});
