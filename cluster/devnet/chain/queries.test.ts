import { QueryClientImpl as Bank } from '@bnb-chain/greenfield-cosmos-types/cosmos/bank/v1beta1/query.js';
import { ServiceClientImpl as Node } from '@bnb-chain/greenfield-cosmos-types/cosmos/base/tendermint/v1beta1/query.js';
import { QueryClientImpl as Gashub } from '@bnb-chain/greenfield-cosmos-types/cosmos/gashub/v1beta1/query.js';
import { QueryClientImpl as Sp } from '@bnb-chain/greenfield-cosmos-types/greenfield/sp/query.js';
import { Long } from '@bnb-chain/greenfield-cosmos-types/helpers.js';
import { createProtobufRpcClient, QueryClient } from '@cosmjs/stargate';
import { Tendermint37Client } from '@cosmjs/tendermint-rpc';
import test, { type ExecutionContext } from 'ava';
import { DENOM, feeOf } from '../../../protocols/greenfield/fees.ts';
import { type ChainFixture, createBucket, startChain } from './testing.ts';

/** What applications ask before they pay, with the generated clients that the SDKs use. */

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

test('the node says what chain it is of and how far that is', async (t) => {
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
