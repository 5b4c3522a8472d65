import { inspect } from 'node:util';
import test from 'ava';
import { feeOf } from '#protocols/greenfield/fees';
import type { Message } from '#protocols/greenfield/messages';
import { buildTransaction } from '#protocols/greenfield/transaction';
import type { Fee } from '#protocols/greenfield/typed-transaction';
import type { Account } from '#protocols/greenfield/types';
import { type ChainFixture, createBucket, startChain } from './testing.ts';

interface Signing {
  readonly account?: Partial<Account>;
  readonly fee?: Partial<Fee>;
  readonly chainId?: string;
  readonly signer?: 'user' | 'stranger';
  readonly timeoutHeight?: number;
}

/** The bytes of a transaction of `user` that creates a bucket, signed as given. */
async function sign(
  { chain, user, genesis, key }: ChainFixture,
  bucketName: string,
  { account, fee, chainId, signer = 'user', timeoutHeight = 0 }: Signing = {},
): Promise<Uint8Array> {
  const known = await chain.account(user.address);
  if (!known) throw new Error('the fixture funds the account');
  const messages: Message[] = [
    {
      typeUrl: '/greenfield.storage.MsgCreateBucket',
      value: {
        creator: user.address,
        bucketName,
        visibility: 'PRIVATE',
        paymentAddress: '',
        primarySpAddress: genesis.chain.sps[0]?.operatorAddress ?? '',
        primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: 1, sig: '' },
        chargedReadQuota: 0n,
      },
    },
  ];
  const { bytes } = await buildTransaction({
    chainId: chainId ?? chain.chainId,
    account: { ...known, ...account },
    messages,
    key: key(genesis.accounts[signer === 'user' ? 0 : 1]?.privateKey ?? ''),
    fee: { ...feeOf(messages), ...fee },
    timeoutHeight,
  });
  return Buffer.from(bytes, 'hex');
}

const poll = async <T>(ask: () => Promise<T | undefined>): Promise<T> => {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

test('a faulty transaction is refused before it waits for a block', async (t) => {
  const fixture = await startChain(t);
  const { chain, user } = fixture;
  const known = await chain.account(user.address);
  const cases: [string, Signing][] = [
    ['sdk 32', { account: { sequence: 1 } }],
    ['sdk 4', { account: { accountNumber: (known?.accountNumber ?? 0) + 1 } }],
    ['sdk 4', { chainId: 'greenfield_1017-1' }],
    ['sdk 8', { signer: 'stranger' }],
    ['sdk 11', { fee: { gasLimit: 2399 } }],
    ['sdk 41', { fee: { gasLimit: 0 } }],
    ['sdk 13', { fee: { amount: [{ denom: 'BNB', amount: 1n }] } }],
    ['sdk 5', { fee: { amount: [{ denom: 'BNB', amount: 10n ** 25n }] } }],
    ['sdk 30', { timeoutHeight: 1 }],
  ];
  await poll(async () => ((await chain.latestBlock()).height > 1 ? true : undefined));
  for (const [expected, signing] of cases) {
    const { code, codespace } = await chain.broadcast(await sign(fixture, 'bucket', signing));
    t.is(`${codespace} ${code}`, expected, inspect(signing));
  }
  t.is((await chain.broadcast(Buffer.from('no transaction'))).code, 2);
  const tampered = await sign(fixture, 'bucket');
  tampered[tampered.length - 20] = ((tampered[tampered.length - 20] as number) + 1) % 256;
  t.is((await chain.broadcast(tampered)).code, 4);
  t.is((await chain.account(user.address))?.sequence, 0);
});

test('a repeated transaction is recognised, and after its block its sequence is used', async (t) => {
  const fixture = await startChain(t);
  const { chain } = fixture;
  const bytes = await sign(fixture, 'bucket');
  const first = await chain.broadcast(bytes);
  const again = await chain.broadcast(bytes);
  t.is(first.code, 0);
  t.is(again.code, 0);
  t.is(again.hash, first.hash);
  const included = await poll(() => chain.transaction(first.hash));
  t.is(included.code, 0);
  t.is(included.responses[0]?.typeUrl, '/greenfield.storage.MsgCreateBucketResponse');
  const { code, codespace } = await chain.broadcast(
    await sign(fixture, 'other', { account: { sequence: 0 } }),
  );
  t.deepEqual({ code, codespace }, { code: 32, codespace: 'sdk' });
});

test('several transactions of one account go into one block, and a failed one costs fee and sequence', async (t) => {
  const fixture = await startChain(t);
  const { chain, user } = fixture;
  const results = await Promise.allSettled(
    ['one-bucket', 'two-bucket', 'one-bucket', 'three-bucket'].map((name) => createBucket(fixture, name)),
  );
  t.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  );
  t.is((await chain.account(user.address))?.sequence, 4);
});

test('a restarted chain continues where it was', async (t) => {
  const before = await startChain(t);
  const bucketId = await createBucket(before, 'bucket');
  const { height } = await before.chain.latestBlock();
  const bytes = await sign(before, 'other');
  const { hash } = await before.chain.broadcast(bytes);
  await poll(() => before.chain.transaction(hash));
  await before.stop();
  await t.throwsAsync(before.chain.latestBlock(), { message: /No chain node answered/ });

  const after = await startChain(t, { directory: before.directory });
  t.true((await after.chain.latestBlock()).height >= height);
  t.is((await after.chain.bucket('bucket'))?.id, bucketId);
  t.is((await after.chain.transaction(hash))?.code, 0);
  t.is((await after.chain.account(after.user.address))?.sequence, 2);
  t.is((await after.chain.broadcast(bytes)).code, 32);
  t.is(await createBucket(after, 'third'), '3');
});

test('a directory is used by one chain at a time, and keeps its chain id', async (t) => {
  const { directory } = await startChain(t);
  await t.throwsAsync(startChain(t, { directory }), { message: /cannot be opened/ });
});
