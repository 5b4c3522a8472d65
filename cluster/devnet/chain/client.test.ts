import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'ava';
import { Cancelled, Retryable, type SealionError, Terminal } from '#protocols/errors';
import { fromHex } from '#protocols/greenfield/hex';
import { expectedSequence, simulationOf } from '#protocols/greenfield/simulation';
import { buildTransaction } from '#protocols/greenfield/transaction';
import { connectChain } from '#runtime/chain/connect';
import { createBucket, startChain } from './testing.ts';

/** The runtime's chain client with this chain: the cases that other tests do not cover. */

test('storage providers, families, groups and parameters are those of the genesis', async (t) => {
  const { chain, genesis } = await startChain(t, { sps: 9, storage: { maxSegmentSize: 4096 } });
  t.deepEqual(await chain.storageProviders(), genesis.chain.sps);
  t.deepEqual(await chain.family(3), genesis.chain.families[2]);
  t.deepEqual(await chain.storageParams(), genesis.chain.params.storage);
  t.deepEqual(await chain.storageParams(1_700_000_000), genesis.chain.params.storage);
  const groups = await chain.gvgsOfFamily(3);
  t.deepEqual(
    groups.map(({ secondarySpIds }) => secondarySpIds),
    genesis.chain.gvgs.filter(({ familyId }) => familyId === 3).map(({ secondarySpIds }) => secondarySpIds),
  );
  const [group] = groups;
  if (!group) return t.fail();
  t.is(await chain.freeCapacity(group), 1024 ** 4);
  t.deepEqual(await chain.gvg(group.id), group);
});

test('storage providers and families beyond the first page are found', async (t) => {
  const { chain } = await startChain(t, { sps: 120 });
  t.is((await chain.storageProviders()).length, 120);
  t.is((await chain.families()).length, 120);
});

test('an item unknown to the chain is undefined', async (t) => {
  const { chain } = await startChain(t);
  t.is(await chain.bucket('no-such-bucket'), undefined);
  t.is(await chain.object('no-such-bucket', 'object'), undefined);
  t.is(await chain.objectById('999'), undefined);
  t.is(await chain.family(99), undefined);
  t.is(await chain.gvg(99), undefined);
  t.deepEqual(await chain.gvgsOfFamily(99), []);
  t.is(await chain.account(`0x${'1'.repeat(40)}`), undefined);
  t.is(await chain.transaction('AB'.repeat(32)), undefined);
});

test('a malformed query is a terminal error', async (t) => {
  const { chain, rpc } = await startChain(t);
  const refused = await t.throwsAsync<SealionError>(chain.objectById('not-a-number'));
  t.true(refused instanceof Terminal);
  t.is(refused?.code, 'chain-refused');
  const other = await connectChain({ rpc, chainId: 'greenfield_1017-1' });
  t.is((await t.throwsAsync<SealionError>(other.latestBlock()))?.code, 'wrong-chain');
  await t.throwsAsync(connectChain({ rpc: 'localhost:26657', chainId: 'x' }), { instanceOf: Terminal });
  await t.throwsAsync(connectChain({ rpc: [], chainId: 'x' }), { instanceOf: Terminal });
});

test('nodes that are down, silent or send nonsense are skipped', async (t) => {
  const { rpc } = await startChain(t);
  const nonsense = createServer((_, response) => response.writeHead(502).end('<html>bad gateway</html>'));
  const silent = createServer(() => {});
  const urls = await Promise.all(
    [nonsense, silent].map(async (server) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      t.teardown(() => {
        server.close();
        server.closeAllConnections();
      });
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    }),
  );
  const dead = 'http://127.0.0.1:1';
  const options = { chainId: 'greenfield_9000-1741', timeoutMs: 2000 };
  const chain = await connectChain({ ...options, rpc: [dead, ...urls, rpc] });
  t.true((await chain.latestBlock()).height > 0);

  const none = await connectChain({ ...options, rpc: [dead, ...urls] });
  const error = await t.throwsAsync<SealionError>(none.latestBlock());
  t.true(error instanceof Retryable);
  t.is(error?.code, 'chain-unavailable');
  await t.throwsAsync(none.storageProviders(), { instanceOf: Retryable });
});

test('a caller’s signal and the client’s end cancel a request', async (t) => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    silent.close();
    silent.closeAllConnections();
  });
  const rpc = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const chain = await connectChain({ rpc, chainId: 'greenfield_9000-1741' });
  const caller = new AbortController();
  const asked = chain.bucket('bucket', { signal: caller.signal });
  const alsoAsked = chain.storageParams(5, { signal: caller.signal });
  const left = chain.bucket('bucket');
  caller.abort();
  await t.throwsAsync(asked, { instanceOf: Cancelled });
  await t.throwsAsync(alsoAsked, { instanceOf: Cancelled });
  chain.close();
  await t.throwsAsync(left, { instanceOf: Cancelled });
});

test('a simulation shows what a transaction would cost, or why it would fail', async (t) => {
  const fixture = await startChain(t);
  const { chain, user } = fixture;
  const account = await chain.account(user.address);
  if (!account) return t.fail();
  const message = {
    typeUrl: '/greenfield.storage.MsgDeleteBucket',
    value: { operator: user.address, bucketName: 'bucket-1' },
  } as const;
  // No signature is checked, so any key will do.
  const key = fixture.key('11'.repeat(32));
  const { bytes } = await buildTransaction({ chainId: chain.chainId, account, messages: [message], key });
  const simulate = (sequence: number) => chain.simulate(simulationOf(fromHex(bytes), sequence));
  t.deepEqual(await simulate(0), {
    kind: 'refused',
    codespace: 'storage',
    code: 1100,
    log: 'failed to execute message; message index: 0: No such bucket',
  });
  const early = await simulate(4);
  t.like(early, { kind: 'refused', codespace: 'sdk', code: 32 });
  t.is(early.kind === 'refused' ? expectedSequence(early) : undefined, 0);

  await createBucket(fixture, 'bucket-1');
  t.like(await simulate(1), { kind: 'accepted', minGasPrice: 5_000_000_000n });
  t.is((await chain.account(user.address))?.sequence, 1, 'it leaves no trace');
});

test('the chain reports the gas of messages it knows, and nothing for others', async (t) => {
  const { chain } = await startChain(t);
  t.is(await chain.messageGas('/greenfield.storage.MsgSealObjectV2'), 120);
  t.is(await chain.messageGas('/greenfield.storage.MsgRejectSealObject', { fresh: true }), 12_000);
  t.is(await chain.messageGas('/no.such.Msg'), undefined);
});
