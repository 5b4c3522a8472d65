import { QueryClientImpl as Payments } from '@bnb-chain/greenfield-cosmos-types/greenfield/payment/query.js';
import { createProtobufRpcClient, QueryClient } from '@cosmjs/stargate';
import { Tendermint37Client } from '@cosmjs/tendermint-rpc';
import test, { type ExecutionContext } from 'ava';
import type { Message } from '#protocols/greenfield/messages';
import { DevnetDecisions } from '../../../client/devnet-decisions.ts';
import {
  CHECKSUMS,
  type ChainFixture,
  createBucket,
  eventsOf,
  refuses,
  reject,
  seal,
  sealMessage,
  startChain,
} from '../testing.ts';

const NAMES = { bucketName: 'bucket', objectName: 'o' };
const OBJECT = { ...NAMES, payloadSize: 1000, checksums: CHECKSUMS };
const BNB = 10n ** 18n;
/** For the minimum of 1 MiB: 0.016 for the primary, 6 times 12 % of it, 1 % tax; 180 days in advance. */
const RATE = 29_143n;
const RESERVE = 15_552_000n;

interface Paying extends ChainFixture {
  readonly decisions: DevnetDecisions;
  readonly payments: Payments;
}

async function start(t: ExecutionContext): Promise<Paying> {
  const fixture = await startChain(t);
  const comet = await Tendermint37Client.connect(fixture.rpc);
  t.teardown(() => comet.disconnect());
  await createBucket(fixture, 'bucket');
  return {
    ...fixture,
    decisions: new DevnetDecisions(fixture.rpc),
    payments: new Payments(createProtobufRpcClient(new QueryClient(comet))),
  };
}

const record = async ({ payments, user }: Paying) =>
  (await payments.StreamRecord({ account: user.address })).streamRecord;

const rejectMessage = ({ sp }: ChainFixture): Message => ({
  typeUrl: '/greenfield.storage.MsgRejectSealObject',
  value: { operator: sp(1, 'seal').address, ...NAMES },
});

test('a fee is locked by the creation of an object, charged from its seal on, and ends with it', async (t) => {
  const fixture = await start(t);
  const { user, payments } = fixture;
  await t.throwsAsync(payments.StreamRecord({ account: user.address }), { message: /desc = not found/ });
  await user.createObject(OBJECT);
  t.like(await record(fixture), {
    lockBalance: (RATE * RESERVE).toString(),
    netflowRate: '0',
    staticBalance: '0',
    status: 0,
  });
  await seal(fixture, NAMES);
  t.like(await record(fixture), {
    lockBalance: '0',
    netflowRate: (-RATE).toString(),
    bufferBalance: (RATE * RESERVE).toString(),
  });
  await user.updateObject({ ...OBJECT, payloadSize: 5 });
  t.like(await record(fixture), { lockBalance: (RATE * RESERVE).toString() });
  await user.cancelUpdateObject('bucket', 'o');
  t.like(await record(fixture), { lockBalance: '0' });
  await user.deleteObject('bucket', 'o');
  t.like(await record(fixture), { netflowRate: '0', bufferBalance: '0', lockBalance: '0' });
});

test('while the owner is frozen nothing is created, sealed, rejected, cancelled or deleted', async (t) => {
  const fixture = await start(t);
  const { user, sp, decisions } = fixture;
  await user.createObject(OBJECT);
  await user.createObject({ ...OBJECT, objectName: 'sealed' });
  await seal(fixture, { ...NAMES, objectName: 'sealed' });
  await decisions.useUpBalance(user.address);
  t.is((await record(fixture)).status, 1);

  const frozen = `stream record ${user.address} is frozen`;
  const text = async (account: typeof user, message: Message, expected: string) =>
    (await refuses(t, account, message, expected)).replace(/^.*message index: 0: | \(.*\)\.$/g, '');
  t.is(
    await text(sp(1, 'seal'), await sealMessage(fixture, NAMES), 'storage 1123'),
    `err message: unlock store fee failed: bucket o update stream record failed: bucket o ${frozen}: invalid global virtual group`,
  );
  t.is(
    await text(sp(1, 'seal'), rejectMessage(fixture), 'undefined 1'),
    `update stream record failed: bucket o ${frozen}`,
  );
  const value = { operator: user.address, ...NAMES };
  t.is(
    await text(user, { typeUrl: '/greenfield.storage.MsgCancelCreateObject', value }, 'undefined 1'),
    `update stream record failed: bucket o ${frozen}`,
  );
  t.is(
    await text(
      user,
      { typeUrl: '/greenfield.storage.MsgDeleteObject', value: { ...value, objectName: 'sealed' } },
      'undefined 1',
    ),
    `apply object store bill failed: bucket sealed ${frozen}`,
  );
  t.true(
    (await t.throwsAsync(user.createObject({ ...OBJECT, objectName: 'new' })))?.message.includes(
      `update stream record failed: bucket new ${frozen} (undefined 1)`,
    ),
  );
  t.true(
    (await t.throwsAsync(user.updateObject({ ...OBJECT, objectName: 'sealed' })))?.message.includes(
      `update stream record failed: bucket sealed ${frozen} (undefined 1)`,
    ),
  );
});

test('the update of a frozen owner is neither sealed nor rejected nor cancelled', async (t) => {
  const fixture = await start(t);
  const { user, sp, stranger, decisions } = fixture;
  await user.createObject(OBJECT);
  await seal(fixture, NAMES);
  await user.updateObject({ ...OBJECT, payloadSize: 5 });
  await decisions.useUpBalance(user.address);
  const frozen = `stream record ${user.address} is frozen`;
  // The seal of an update first stops the charge for the old content, and the chain does not wrap that error.
  t.true(
    (await refuses(t, sp(1, 'seal'), await sealMessage(fixture, NAMES), 'undefined 1')).includes(
      `index: 0: apply object store bill failed: bucket o ${frozen}`,
    ),
  );
  const expected = `index: 0: update stream record failed, objectID: 1 ${frozen}`;
  t.true((await refuses(t, sp(1, 'seal'), rejectMessage(fixture), 'undefined 1')).includes(expected));
  // The chain checks the payment before the right to cancel.
  const cancel: Message = {
    typeUrl: '/greenfield.storage.MsgCancelUpdateObjectContent',
    value: { operator: stranger.address, ...NAMES },
  };
  t.true((await refuses(t, stranger, cancel, 'undefined 1')).includes(expected));
});

test('a deposit unfreezes an account if it pays for the reserve', async (t) => {
  const fixture = await start(t);
  const { user, stranger, rpc, decisions } = fixture;
  await user.createObject({ ...OBJECT, objectName: 'sealed' });
  await seal(fixture, { ...NAMES, objectName: 'sealed' });
  await user.createObject(OBJECT);
  await decisions.useUpBalance(user.address);
  t.like(await record(fixture), {
    status: 1,
    netflowRate: '0',
    frozenNetflowRate: (-RATE).toString(),
    staticBalance: '0',
    bufferBalance: '0',
  });

  await stranger.deposit(user.address, RATE * RESERVE - 1n);
  t.like(await record(fixture), { status: 1, staticBalance: (RATE * RESERVE - 1n).toString() });
  const { hash } = await stranger.send({
    typeUrl: '/greenfield.payment.MsgDeposit',
    value: { creator: stranger.address, to: user.address, amount: (BNB + 1n).toString() },
  });
  t.deepEqual(await eventsOf(rpc, hash), [
    {
      type: 'greenfield.payment.EventDeposit',
      from: stranger.address,
      to: user.address,
      amount: (BNB + 1n).toString(),
    },
  ]);
  t.like(await record(fixture), {
    status: 0,
    netflowRate: (-RATE).toString(),
    frozenNetflowRate: '0',
    bufferBalance: (RATE * RESERVE).toString(),
    staticBalance: BNB.toString(),
  });
  await seal(fixture, NAMES);
  await user.createObject({ ...OBJECT, objectName: 'next' });
  await reject(fixture, 'bucket', 'next');
});

test('any deposit unfreezes an account without flow', async (t) => {
  const fixture = await start(t);
  const { user, decisions } = fixture;
  await user.createObject(OBJECT);
  await decisions.useUpBalance(user.address);
  await user.deposit(user.address, 1n);
  t.like(await record(fixture), { status: 0 });
  await seal(fixture, NAMES);
});

test('a payment account pays for its owner’s buckets, and its owner alone withdraws', async (t) => {
  const fixture = await start(t);
  const { user, stranger, payments, genesis, chain, decisions } = fixture;
  await user.send({
    typeUrl: '/greenfield.payment.MsgCreatePaymentAccount',
    value: { creator: user.address },
  });
  const [account] = (await payments.PaymentAccountsByOwner({ owner: user.address })).paymentAccounts;
  if (account === undefined) return t.fail();
  t.like((await payments.PaymentAccount({ addr: account })).paymentAccount, { owner: user.address });
  const primarySpAddress = genesis.chain.sps[0]?.operatorAddress ?? '';
  const bucket = (creator: string, bucketName: string): Message => ({
    typeUrl: '/greenfield.storage.MsgCreateBucket',
    value: {
      creator,
      bucketName,
      visibility: 'PRIVATE',
      paymentAddress: account,
      primarySpAddress,
      primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: 1, sig: '' },
      chargedReadQuota: 0n,
    },
  });
  await user.send(bucket(user.address, 'paid'));
  t.is((await chain.bucket('paid'))?.paymentAddress, account);
  const object = { ...OBJECT, bucketName: 'paid' };
  t.regex(
    (await t.throwsAsync(user.createObject(object)))?.message ?? '',
    /static balance is not enough for paid o, lacks 453231936000 \(undefined 1\)/,
  );
  await stranger.deposit(account, BNB);
  await user.createObject(object);

  // Anybody may name the account, but it pays only for its owner.
  await stranger.send(bucket(stranger.address, 'foreign'));
  t.regex(
    (await t.throwsAsync(stranger.createObject({ ...object, bucketName: 'foreign' })))?.message ?? '',
    /the flow rate limit is not set for the bucket foreign \(undefined 1\)/,
  );

  const withdraw = (creator: string, from: string, amount: bigint): Message => ({
    typeUrl: '/greenfield.payment.MsgWithdraw',
    value: { creator, from, amount: amount.toString() },
  });
  await refuses(t, stranger, withdraw(stranger.address, account, 1n), 'payment 1204');
  await refuses(t, user, withdraw(user.address, genesis.chain.sps[0]?.gcAddress ?? '', 1n), 'payment 1203');
  await refuses(t, user, withdraw(user.address, '', 1n), 'payment 1210');
  await refuses(t, user, withdraw(user.address, account, 0n), 'sdk 10');
  t.regex(
    await refuses(t, user, withdraw(user.address, account, BNB), 'undefined 1'),
    /stream account 0x\w+ balance not enough, lack of 453231936000 BNB/,
  );
  await user.send(withdraw(user.address, account, BNB / 2n));
  await decisions.useUpBalance(account);
  await refuses(t, user, withdraw(user.address, account, 1n), 'payment 1208');
  const deposit: Message = {
    typeUrl: '/greenfield.payment.MsgDeposit',
    value: { creator: user.address, to: `0x${'1'.repeat(40)}`, amount: '1' },
  };
  await refuses(t, user, deposit, 'payment 1207');
});

test('a read quota is charged from the creation of the bucket to its deletion', async (t) => {
  const fixture = await start(t);
  const { user, genesis } = fixture;
  await user.send({
    typeUrl: '/greenfield.storage.MsgCreateBucket',
    value: {
      creator: user.address,
      bucketName: 'read',
      visibility: 'PRIVATE',
      paymentAddress: '',
      primarySpAddress: genesis.chain.sps[0]?.operatorAddress ?? '',
      primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: 1, sig: '' },
      chargedReadQuota: 1_000_000n,
    },
  });
  t.like(await record(fixture), { netflowRate: '-8080' });
  await fixture.decisions.useUpBalance(user.address);
  const deletion: Message = {
    typeUrl: '/greenfield.storage.MsgDeleteBucket',
    value: { operator: user.address, bucketName: 'read' },
  };
  t.regex(
    await refuses(t, user, deletion, 'storage 1117'),
    /cancel charge bucket read fee error: stream record 0x\w+ is frozen: charge failed error/,
  );
  await user.deposit(user.address, BNB);
  await user.send(deletion);
  t.like(await record(fixture), { netflowRate: '0' });
});
