import { request } from 'node:http';
import { StargateClient } from '@cosmjs/stargate';
import { Tendermint37Client } from '@cosmjs/tendermint-rpc';
import test from 'ava';
import fc from 'fast-check';
import { exchange, readAnswers } from '#gateway/testing/wire';
import { anyRawRequest } from '../../test/raw-requests.ts';
import { createBucket, startChain } from './testing.ts';

interface Answer {
  readonly id?: unknown;
  readonly result?: { readonly [name: string]: unknown };
  readonly error?: { readonly code: number; readonly message: string; readonly data: string };
}

async function post(rpc: string, body: string): Promise<Answer & readonly Answer[]> {
  const response = await fetch(rpc, { method: 'POST', body });
  return (await response.json()) as Answer & readonly Answer[];
}

const call = (rpc: string, method: string, params: unknown) =>
  post(rpc, JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }));

test('cosmjs reads status, blocks and searches as from a real node', async (t) => {
  const fixture = await startChain(t);
  await createBucket(fixture, 'bucket');
  const client = await Tendermint37Client.connect(fixture.rpc);
  const status = await client.status();
  t.is(status.nodeInfo.network, 'greenfield_9000-1741');
  t.is(status.nodeInfo.version, '0.37.2');
  t.true(status.syncInfo.latestBlockHeight > 0);
  t.is((await client.block(1)).block.header.height, 1);
  t.is((await client.block(1)).block.lastCommit, null);
  const latest = await client.block();
  t.true(latest.block.header.height > 1);
  t.deepEqual(
    latest.block.header.lastBlockId?.hash,
    (await client.block(latest.block.header.height - 1)).blockId.hash,
  );
  client.disconnect();
});

test('the SDK’s search by hash finds the transaction with its events', async (t) => {
  const fixture = await startChain(t);
  const sent = await fixture.user.send({
    typeUrl: '/greenfield.storage.MsgCreateBucket',
    value: {
      creator: fixture.user.address,
      bucketName: 'bucket',
      visibility: 'PUBLIC_READ',
      paymentAddress: '',
      primarySpAddress: fixture.genesis.chain.sps[0]?.operatorAddress ?? '',
      primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: 1, sig: '' },
      chargedReadQuota: 0n,
    },
  });
  const client = await StargateClient.connect(fixture.rpc);
  const [found] = await client.searchTx([{ key: 'tx.hash', value: sent.hash }]);
  t.is(found?.hash, sent.hash);
  t.is(found?.height, sent.height);
  t.is(found?.code, 0);
  const event = found?.events.find(({ type }) => type === 'greenfield.storage.EventCreateBucket');
  const value = (key: string) => event?.attributes.find((attribute) => attribute.key === key)?.value;
  t.is(value('bucket_name'), '"bucket"');
  t.is(value('bucket_id'), '"1"');
  t.is(value('visibility'), '"VISIBILITY_TYPE_PUBLIC_READ"');
  t.is(value('global_virtual_group_family_id'), '1');

  const byHeight = await call(fixture.rpc, 'tx_search', { query: `tx.height=${sent.height}`, page: '1' });
  t.is(byHeight.result?.total_count, '1');
  t.is((await call(fixture.rpc, 'tx_search', { query: "message.sender='x'" })).error?.code, -32602);
  client.disconnect();
});

test('simple queries can be made by GET', async (t) => {
  const fixture = await startChain(t);
  const get = async (path: string) => (await (await fetch(`${fixture.rpc}/${path}`)).json()) as Answer;
  t.deepEqual((await get('health')).result, {});
  t.truthy((await get('status')).result?.sync_info);
  t.truthy((await get('block?height=1')).result?.block);
  t.is((await get('tx?hash=0xABCD')).error?.data, 'tx (ABCD) not found');
  t.is((await get('abci_query?path="/nonsense"')).error, undefined);
  t.is((await get('block?height=x')).error?.code, -32602);
  t.is((await get('%E0%A4%A')).error?.code, -32601);
});

test('hostile input gets an error, and the node keeps running', async (t) => {
  const { rpc, chain } = await startChain(t);
  t.is((await post(rpc, '{')).error?.code, -32700);
  t.is((await post(rpc, 'null')).error?.code, -32600);
  t.is((await post(rpc, '{"id":1}')).error?.code, -32600);
  t.is((await call(rpc, 'no_such_method', {})).error?.code, -32601);
  t.is((await call(rpc, 'constructor', {})).error?.code, -32601);
  t.is((await call(rpc, 'status', [1])).error?.code, -32602);
  t.is((await call(rpc, 'abci_query', { path: 5 })).error?.code, -32602);
  t.is((await call(rpc, 'abci_query', { path: '/x', data: 'zz' })).error?.code, -32602);
  t.is((await call(rpc, 'broadcast_tx_sync', { tx: '%%' })).error?.code, -32602);
  t.is((await call(rpc, 'broadcast_tx_sync', {})).error?.code, -32602);
  t.is((await call(rpc, 'block', { height: '99999999' })).error?.code, -32603);
  t.is((await call(rpc, 'tx_search', { query: "tx.hash='00'" })).error?.code, -32602);
  const batch = await post(rpc, '[{"id":1,"method":"health"},{"id":"b","method":"nope"},3]');
  t.deepEqual(
    batch.map(({ id, error }) => [id, error?.code]),
    [
      [1, undefined],
      ['b', -32601],
      [-1, -32600],
    ],
  );
  t.is((await fetch(rpc, { method: 'PUT' })).status, 405);
  t.is((await fetch(rpc, { method: 'POST', body: 'x'.repeat(1_100_000) })).status, 413);
  await new Promise<void>((resolve) => {
    const broken = request(rpc, { method: 'POST', headers: { 'content-length': 100 } });
    broken.on('error', () => resolve());
    broken.write('{"id"');
    setTimeout(() => broken.destroy(), 20);
  });
  t.true((await chain.latestBlock()).height > 0);
});

const PATHS = [
  '/cosmos.auth.v1beta1.Query/Account',
  '/cosmos.bank.v1beta1.Query/Balance',
  '/cosmos.gashub.v1beta1.Query/MsgGasParams',
  '/cosmos.tx.v1beta1.Service/Simulate',
  '/greenfield.storage.Query/HeadBucketById',
  '/greenfield.storage.Query/HeadObject',
  '/greenfield.storage.Query/HeadObjectById',
  '/greenfield.storage.Query/VerifyPermission',
  '/greenfield.sp.Query/StorageProviders',
  '/greenfield.sp.Query/StorageProviderByOperatorAddress',
  '/greenfield.sp.Query/QuerySpStoragePrice',
  '/greenfield.virtualgroup.Query/GlobalVirtualGroup',
  '/greenfield.virtualgroup.Query/QuerySpOptimalGlobalVirtualGroupFamily',
];

test('arbitrary bytes as a query or a transaction get an error code', async (t) => {
  const { rpc } = await startChain(t);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...PATHS), fc.uint8Array({ maxLength: 80 }), async (path, bytes) => {
      const data = Buffer.from(bytes).toString('hex');
      const { result } = await call(rpc, 'abci_query', { path, data });
      t.not((result?.response as { code: number } | undefined)?.code ?? 1, 1);
    }),
    { numRuns: 200 },
  );
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
      const { result } = await call(rpc, 'broadcast_tx_sync', { tx: Buffer.from(bytes).toString('base64') });
      t.true([2, 15, 18].includes(result?.code as number));
    }),
    { numRuns: 200 },
  );
});

test('arbitrary bytes on a socket do not stop the node', async (t) => {
  const { rpc } = await startChain(t);
  const port = Number(new URL(rpc).port);
  const none = { method: 'GET', pieces: ['GET // HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'] };
  t.is(readAnswers(await exchange(port, { ...none, manner: 'wait' }), 'GET')[0]?.status, 200);
  await fc.assert(
    fc.asyncProperty(fc.array(anyRawRequest, { minLength: 1, maxLength: 5 }), async (requests) => {
      await Promise.all(
        requests.map(async (request) => readAnswers(await exchange(port, request), request.method)),
      );
    }),
    { numRuns: 200 },
  );
  t.truthy((await call(rpc, 'status', {})).result);
});
