import { QueryAccountRequest } from '@bnb-chain/greenfield-cosmos-types/cosmos/auth/v1beta1/query.js';
import { QueryClientImpl as Bank } from '@bnb-chain/greenfield-cosmos-types/cosmos/bank/v1beta1/query.js';
import { ServiceClientImpl as Node } from '@bnb-chain/greenfield-cosmos-types/cosmos/base/tendermint/v1beta1/query.js';
import { QueryClientImpl as Gashub } from '@bnb-chain/greenfield-cosmos-types/cosmos/gashub/v1beta1/query.js';
import { QueryClientImpl as Sp } from '@bnb-chain/greenfield-cosmos-types/greenfield/sp/query.js';
import * as storage from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/query.js';
import {
  QueryGlobalVirtualGroupFamilyRequest,
  QueryGlobalVirtualGroupRequest,
} from '@bnb-chain/greenfield-cosmos-types/greenfield/virtualgroup/query.js';
import { Long } from '@bnb-chain/greenfield-cosmos-types/helpers.js';
import { createProtobufRpcClient, QueryClient } from '@cosmjs/stargate';
import { Tendermint37Client } from '@cosmjs/tendermint-rpc';
import test, { type ExecutionContext } from 'ava';
import { DENOM, feeOf } from '#protocols/greenfield/fees';
import { BROKEN_REQUEST_ANSWER, MISSING_ANSWERS } from '#runtime/chain/missing-answers.fixture';
import { type ChainFixture, createBucket, startChain } from './testing.ts';

/** The queries that applications make before they pay, with the generated clients that the SDKs use. */

interface Connected extends ChainFixture {
  readonly bank: Bank;
  readonly gashub: Gashub;
  readonly node: Node;
  readonly sps: Sp;
}

async function connect(t: ExecutionContext): Promise<Connected> {
  const fixture = await startChain(t);
  const comet = await Tendermint37Client.connect(fixture.rpc);
  t.teardown(() => comet.disconnect());
  const rpc = createProtobufRpcClient(new QueryClient(comet));
  return {
    ...fixture,
    bank: new Bank(rpc),
    gashub: new Gashub(rpc),
    node: new Node(rpc),
    sps: new Sp(rpc),
  };
}

test('the node reports its chain id and height', async (t) => {
  const { node, chain } = await connect(t);
  t.is((await node.GetNodeInfo()).defaultNodeInfo?.network, chain.chainId);
  t.false((await node.GetSyncing()).syncing);
  const before = await chain.latestBlock();
  const header = (await node.GetLatestBlock()).sdkBlock?.header;
  t.is(header?.chainId, chain.chainId);
  t.true((header?.height.toNumber() ?? 0) >= before.height);
  t.true((header?.time.seconds.toNumber() ?? 0) >= Math.floor(before.time / 1000));
});

test('a balance falls by the fee and nothing else', async (t) => {
  const fixture = await connect(t);
  const { address } = fixture.user;
  const balance = async () => (await fixture.bank.Balance({ address, denom: DENOM })).balance;
  const before = await balance();
  t.is(before?.denom, DENOM);
  await createBucket(fixture, 'bucket');
  const message = { typeUrl: '/greenfield.storage.MsgCreateBucket' } as Parameters<typeof feeOf>[0][0];
  const fee = feeOf([message]).amount[0]?.amount ?? 0n;
  t.is(BigInt((await balance())?.amount ?? 0), BigInt(before?.amount ?? 0) - fee);
  t.is((await fixture.bank.Balance({ address: `0x${'1'.repeat(40)}`, denom: DENOM })).balance?.amount, '0');
  t.is((await fixture.bank.Balance({ address, denom: 'other' })).balance?.amount, '0');
  await t.throwsAsync(fixture.bank.Balance({ address: 'nobody', denom: DENOM }), {
    message: /invalid address/,
  });
});

test('the gas of messages can be asked for, by name or all', async (t) => {
  const { gashub } = await connect(t);
  const { params } = await gashub.Params();
  t.is(params.maxTxSize.toNumber(), 64 * 1024);
  const seal = '/greenfield.storage.MsgSealObject';
  const named = await gashub.MsgGasParams({ msgTypeUrls: [seal, '/no.such.Msg', 'constructor'] });
  t.deepEqual(
    named.msgGasParams.map(({ msgTypeUrl, fixedType }) => [msgTypeUrl, fixedType?.fixedGas.toNumber()]),
    [[seal, 120]],
  );
  const all = await gashub.MsgGasParams({ msgTypeUrls: [] });
  t.true(all.msgGasParams.some(({ msgTypeUrl }) => msgTypeUrl === seal));
  t.true(all.msgGasParams.length > 5);
});

test('prices can be asked for', async (t) => {
  const { sps, genesis } = await connect(t);
  const spAddr = genesis.chain.sps[1]?.operatorAddress ?? '';
  const { spStoragePrice } = await sps.QuerySpStoragePrice({ spAddr });
  t.like(spStoragePrice, { spId: 2, storePrice: '0.016', readPrice: '0.008' });
  t.is(
    (await sps.QueryGlobalSpStorePriceByTime({ timestamp: Long.ZERO })).globalSpStorePrice.primaryStorePrice,
    '0.016',
  );
  const nobody = `0x${'1'.repeat(40)}`;
  await t.throwsAsync(sps.QuerySpStoragePrice({ spAddr: nobody }), { message: /does not exist/ });
});

test('missing items and malformed queries are answered with the texts of a real node', async (t) => {
  const { rpc } = await startChain(t);
  const account = '0x0000000000000000000000000000000000009999';
  const requests = {
    '/greenfield.storage.Query/HeadObject': storage.QueryHeadObjectRequest.encode(
      storage.QueryHeadObjectRequest.fromPartial({ bucketName: 'nothing', objectName: 'nothing' }),
    ),
    '/greenfield.storage.Query/HeadBucket': storage.QueryHeadBucketRequest.encode(
      storage.QueryHeadBucketRequest.fromPartial({ bucketName: 'nothing' }),
    ),
    '/greenfield.storage.Query/VerifyPermission': storage.QueryVerifyPermissionRequest.encode(
      storage.QueryVerifyPermissionRequest.fromPartial({ bucketName: 'nothing' }),
    ),
    '/greenfield.virtualgroup.Query/GlobalVirtualGroup': QueryGlobalVirtualGroupRequest.encode(
      QueryGlobalVirtualGroupRequest.fromPartial({ globalVirtualGroupId: 99 }),
    ),
    '/greenfield.virtualgroup.Query/GlobalVirtualGroupFamily': QueryGlobalVirtualGroupFamilyRequest.encode(
      QueryGlobalVirtualGroupFamilyRequest.fromPartial({ familyId: 99 }),
    ),
    '/cosmos.auth.v1beta1.Query/Account': QueryAccountRequest.encode({ address: account }),
  };
  const query = async (path: string, data: Uint8Array): Promise<unknown> => {
    const params = { path, data: Buffer.from(data).toString('hex'), prove: false };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'abci_query', params });
    const { result } = (await (await fetch(rpc, { method: 'POST', body })).json()) as {
      result: { response: { code: number; log: string; codespace: string } };
    };
    const { code, log, codespace } = result.response;
    return { code, log, codespace };
  };
  for (const [path, expected] of Object.entries(MISSING_ANSWERS)) {
    t.deepEqual(await query(path, requests[path as keyof typeof requests].finish()), expected, path);
  }
  const cutShort = Buffer.from('0a05', 'hex');
  t.deepEqual(await query('/greenfield.storage.Query/HeadObjectById', cutShort), BROKEN_REQUEST_ANSWER);
  const bad = storage.QueryHeadObjectByIdRequest.encode({ objectId: 'x' }).finish();
  t.deepEqual(await query('/greenfield.storage.Query/HeadObjectById', bad), {
    code: 18,
    log: 'rpc error: code = InvalidArgument desc = invalid object id: invalid request',
    codespace: 'sdk',
  });
});
