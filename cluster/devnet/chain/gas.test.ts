import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { feeOf } from '#protocols/greenfield/fees';
import type { Message } from '#protocols/greenfield/messages';
import { buildTransaction } from '#protocols/greenfield/transaction';
import type { Chain, IncludedTransaction } from '#runtime/chain/chain';
import { DevnetDecisions } from '../../client/devnet-decisions.ts';
import { type ChainFixture, startChain } from './testing.ts';

const SEAL = '/greenfield.storage.MsgSealObject';

/** A seal of an object that does not exist, since gas is checked before that. */
async function signSeal({ chain, sp, genesis, key }: ChainFixture, gasLimit: number): Promise<Uint8Array> {
  const { address } = sp(1, 'seal');
  const account = await chain.account(address);
  if (!account) throw new Error('the genesis funds the account');
  const value = {
    operator: address,
    bucketName: 'no-such-bucket',
    objectName: 'o',
    globalVirtualGroupId: 1,
    secondarySpBlsAggSignatures: '00'.repeat(96),
  };
  const messages: Message[] = [{ typeUrl: SEAL, value }];
  const amount = BigInt(gasLimit) * 5_000_000_000n;
  const fee = { ...feeOf(messages), amount: [{ denom: 'BNB', amount }], gasLimit };
  const signer = key(genesis.sps[0]?.seal ?? '');
  const { bytes } = await buildTransaction({ chainId: chain.chainId, account, messages, key: signer, fee });
  return Buffer.from(bytes, 'hex');
}

async function untilIncluded(chain: Chain, hash: string): Promise<IncludedTransaction> {
  for (;;) {
    const included = await chain.transaction(hash);
    if (included) return included;
    await sleep(10);
  }
}

const OUT_OF_GAS = {
  code: 11,
  codespace: 'sdk',
  log: 'out of gas in location: gas cost by msg type; gasWanted: 120, gasUsed: 240: out of gas',
};

test('governance raises the gas of a message, and the old limit is refused', async (t) => {
  const fixture = await startChain(t);
  const { chain, rpc } = fixture;
  await new DevnetDecisions(rpc).setMessageGas(SEAL, 240);
  t.like(await chain.broadcast(await signSeal(fixture, 120)), OUT_OF_GAS);
  const { hash, code } = await chain.broadcast(await signSeal(fixture, 1200));
  t.is(code, 0);
  t.like(await untilIncluded(chain, hash), { code: 1100, codespace: 'storage' });
});

test('a transaction that waits while the gas rises fails in its block, and costs nothing', async (t) => {
  const fixture = await startChain(t);
  const { chain, rpc, sp } = fixture;
  const { address } = sp(1, 'seal');
  const before = await chain.account(address);
  const tx = Buffer.from(await signSeal(fixture, 120)).toString('base64');
  const calls = [
    { jsonrpc: '2.0', id: 1, method: 'broadcast_tx_sync', params: { tx } },
    { jsonrpc: '2.0', id: 2, method: 'devnet_set_message_gas', params: { type: SEAL, gas: 240 } },
  ];
  // In one batch, so that no block comes between the two.
  const response = await fetch(rpc, { method: 'POST', body: JSON.stringify(calls) });
  const [broadcast] = (await response.json()) as { result: { code: number; hash: string } }[];
  t.is(broadcast?.result.code, 0);
  const included = await untilIncluded(chain, broadcast?.result.hash ?? '');
  t.like(included, OUT_OF_GAS);
  t.deepEqual(await chain.account(address), before);
});

test('only messages known to the chain have gas', async (t) => {
  const { rpc } = await startChain(t);
  const decisions = new DevnetDecisions(rpc);
  await t.throwsAsync(decisions.setMessageGas('constructor' as typeof SEAL, 1), { code: 'devnet-decision' });
});
