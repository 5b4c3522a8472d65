import { AuthInfo, TxBody, TxRaw } from '@bnb-chain/greenfield-cosmos-types/cosmos/tx/v1beta1/tx.js';
import test from 'ava';
import { Terminal } from '../errors.ts';
import { feeOf, gasOf } from './fees.ts';
import { fromHex, toHex } from './hex.ts';
import type { Message } from './messages.ts';
import { SDK_TRANSACTIONS } from './sdk-transactions.fixture.ts';
import { publicKeyOf, signDigest } from './signature.ts';
import {
  buildTransaction,
  decodeTransaction,
  signerOf,
  type Transaction,
  transactionDigest,
  transactionHash,
} from './transaction.ts';
import { checkTransactionSignature } from './transaction-signature.ts';

const PRIVATE = new Uint8Array(32).fill(0x11);
const ADDRESS = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A';
const OTHER = '0x1563915e194D8CfBA1943570603F7606A3115508';
const KEY = {
  publicKey: toHex(publicKeyOf(PRIVATE)),
  sign: async (digest: Uint8Array) => signDigest(digest, PRIVATE),
};
const CHAIN = 'greenfield_9000-1741';
const CONTEXT = { chainId: CHAIN, accountNumber: 7, sequence: 3 };
const ACCOUNT = { address: ADDRESS, accountNumber: 7, sequence: 3 };

const SEAL: Message = {
  typeUrl: '/greenfield.storage.MsgSealObject',
  value: {
    operator: ADDRESS,
    bucketName: 'mybucket',
    objectName: 'a/b c.txt',
    globalVirtualGroupId: 5,
    secondarySpBlsAggSignatures:
      'b7cc13d6181b7abaf9cc21e4bcd41a07e30ea91c2bc48e879f76e5622fa6c3390b717411318dfc29c4c81295cdf6dacf06692332a51b246f7a944a6e568ea4ed54ef6c030ab0897ef8aef06f2eb511580ef529b8390c18492745280ac0fad2ba',
  },
};
const REJECT: Message = {
  typeUrl: '/greenfield.storage.MsgRejectSealObject',
  value: { operator: ADDRESS, bucketName: 'mybucket', objectName: 'x' },
};

test('a seal is built with the signature of the vector', async (t) => {
  const fee = {
    amount: [{ denom: 'BNB', amount: 6_000_000_000_000n }],
    gasLimit: 1200,
    payer: '',
    granter: '',
  };
  const request = { chainId: CHAIN, account: ACCOUNT, messages: [SEAL], key: KEY, fee };
  const built = await buildTransaction({ ...request, domain: 'altai' });
  const transaction = decodeTransaction(fromHex(built.bytes));
  t.is(
    toHex(transaction.signatures[0] as Uint8Array),
    // the vector writes v as 28, we as 1
    'f743fdaf7bfd254132c7aac38f83b84d560406b588b97891d9b544d9e81c87c0365343e596471ea9252eb35791dde2a29706f52e36e42c9beca4ece26d92b6e801',
  );
  t.is(built.hash, transactionHash(fromHex(built.bytes)));
  t.is(built.sequence, 3);
  t.deepEqual(transaction.messages, [SEAL]);
  t.deepEqual(transaction.fee, fee);
  t.deepEqual(transaction.signers, [{ publicKey: KEY.publicKey, signMode: 712, sequence: 3 }]);
  t.is(checkTransactionSignature(transaction, CONTEXT), ADDRESS);
});

test('building again gives the same bytes', async (t) => {
  const request = { chainId: CHAIN, account: ACCOUNT, messages: [SEAL, REJECT], key: KEY, timeoutHeight: 99 };
  const built = await buildTransaction(request);
  t.deepEqual(await buildTransaction(request), built);
  const transaction = decodeTransaction(fromHex(built.bytes));
  t.is(transaction.timeoutHeight, 99);
  t.is(transaction.fee.gasLimit, 12_120);
  t.is(checkTransactionSignature(transaction, CONTEXT), ADDRESS);
});

for (const name of ['createBucket', 'createObject', 'cancelCreateObject'] as const) {
  test(`the SDK's signature for ${name} is valid`, (t) => {
    const transaction = decodeTransaction(fromHex(SDK_TRANSACTIONS[name]));
    t.is(checkTransactionSignature(transaction, CONTEXT), ADDRESS);
    t.is(transaction.fee.payer, ADDRESS);
    t.is(transaction.signers[0]?.sequence, 3);
  });
}

test('many messages are signed as the SDK signs them: the eleventh comes before the second', (t) => {
  const gasLimit = 11 * 1200;
  const amount = [{ denom: 'BNB', amount: BigInt(gasLimit) * 5_000_000_000n }];
  const transaction = {
    messages: Array.from(
      { length: 11 },
      (_, index): Message => ({
        typeUrl: '/greenfield.storage.MsgCancelCreateObject',
        value: { operator: ADDRESS, bucketName: 'mybucket', objectName: `object-${index}` },
      }),
    ),
    fee: { amount, gasLimit, payer: '', granter: '' },
    memo: '',
    timeoutHeight: 0,
    signers: [],
    signatures: [],
  };
  t.is(
    toHex(transactionDigest(transaction, CONTEXT, 'altai')),
    // eip712Hash of the Greenfield JS SDK 2.2.2 over mergeMultiEip712 and mergeMultiMessage of the same eleven
    'ea7c04ca997dad2ca8525ef4b966d0d02c69820b4de70e75a40d073246f73c93',
  );
});

test('the content of an SDK transaction is read', (t) => {
  const [create] = decodeTransaction(fromHex(SDK_TRANSACTIONS.createObject)).messages;
  t.deepEqual(create, {
    typeUrl: '/greenfield.storage.MsgCreateObject',
    value: {
      creator: ADDRESS,
      bucketName: 'mybucket',
      objectName: 'a/b <c>.txt',
      payloadSize: 11n,
      visibility: 'PRIVATE',
      contentType: 'text/plain',
      primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: 0, sig: '' },
      expectChecksums: [1, 2, 3, 4, 5, 6, 7].map((byte) => toHex(new Uint8Array(32).fill(byte))),
      redundancyType: 'EC',
    },
  });
});

test('a simulated transaction is read: no signature, no fee, a key of zeros', (t) => {
  const simulation = decodeTransaction(fromHex(SDK_TRANSACTIONS.createObjectSimulation));
  t.deepEqual(simulation.signatures, [new Uint8Array()]);
  t.is(simulation.fee.gasLimit, 0);
  t.is(simulation.signers[0]?.publicKey, '00'.repeat(33));
  t.is(gasOf(simulation.messages), 1200);
  t.is(signerOf(simulation), ADDRESS);
});

test('a change to anything signed is detected', async (t) => {
  const built = await buildTransaction({ chainId: CHAIN, account: ACCOUNT, messages: [REJECT], key: KEY });
  const good = decodeTransaction(fromHex(built.bytes));
  const refused = (changes: Partial<Transaction>, context = CONTEXT): void => {
    const act = () => checkTransactionSignature({ ...good, ...changes }, context);
    t.is(t.throws(act, { instanceOf: Terminal })?.code, 'wrong-signature');
  };
  refused({}, { ...CONTEXT, sequence: 4 });
  refused({}, { ...CONTEXT, accountNumber: 8 });
  refused({}, { ...CONTEXT, chainId: 'greenfield_5600-1' });
  refused({ memo: 'hello' });
  refused({ timeoutHeight: 1 });
  refused({ fee: { ...good.fee, gasLimit: 1 } });
  refused({ fee: { ...good.fee, amount: [{ denom: 'BNB', amount: 1n }] } });
  refused({ fee: { ...good.fee, granter: OTHER } });
  refused({ messages: [REJECT, REJECT] });
  refused({ messages: [{ ...REJECT, value: { ...REJECT.value, objectName: 'y' } } as Message] });
  refused({ messages: [{ ...REJECT, value: { ...REJECT.value, operator: OTHER } } as Message] });
  refused({
    messages: [{ typeUrl: '/greenfield.storage.MsgCancelCreateObject', value: REJECT.value } as Message],
  });
});

test('signatures of another form are refused', async (t) => {
  const built = await buildTransaction({ chainId: CHAIN, account: ACCOUNT, messages: [REJECT], key: KEY });
  const good = decodeTransaction(fromHex(built.bytes));
  const [signer] = good.signers as [Transaction['signers'][number]];
  const [signature] = good.signatures as [Uint8Array];
  const code = (changes: Partial<Transaction>): string | undefined =>
    t.throws(() => checkTransactionSignature({ ...good, ...changes }, CONTEXT), { instanceOf: Terminal })
      ?.code;
  t.is(code({ signatures: [] }), 'wrong-signature');
  t.is(code({ signatures: [signature, signature] }), 'wrong-signature');
  t.is(code({ signers: [] }), 'wrong-signature');
  t.is(code({ signers: [{ ...signer, signMode: 1 }] }), 'wrong-signature');
  t.is(
    code({ signers: [{ ...signer, publicKey: toHex(publicKeyOf(new Uint8Array(32).fill(2))) }] }),
    'wrong-signature',
  );
  t.is(code({ signatures: [new Uint8Array()] }), 'bad-signature');
  t.is(
    checkTransactionSignature({ ...good, signers: [{ ...signer, publicKey: undefined }] }, CONTEXT),
    ADDRESS,
  );
});

test('all messages have one signer, compared as text', (t) => {
  const fee = feeOf([REJECT]);
  const code = (messages: readonly Message[], payer = ''): string | undefined =>
    t.throws(() => signerOf({ messages, fee: { ...fee, payer } }), { instanceOf: Terminal })?.code;
  t.is(code([]), 'wrong-signers');
  t.is(code([REJECT], OTHER), 'wrong-signers');
  t.is(code([REJECT], ADDRESS.toLowerCase()), 'wrong-signers');
  t.is(
    code([REJECT, { ...REJECT, value: { ...REJECT.value, operator: OTHER } } as Message]),
    'wrong-signers',
  );
  t.is(signerOf({ messages: [REJECT, SEAL], fee: { ...fee, payer: ADDRESS } }), ADDRESS);
});

test('bytes that are not a transaction are refused', (t) => {
  const whole = SDK_TRANSACTIONS.cancelCreateObject;
  const asciiEth = Buffer.from('eth').toString('hex');
  for (const bytes of [whole.slice(0, 40), `ff${whole}`, whole.replace(asciiEth, 'ffffff'), '0a02ffff']) {
    t.is(
      t.throws(() => decodeTransaction(fromHex(bytes)), { instanceOf: Terminal })?.code,
      'bad-transaction',
    );
  }
});

test('a transaction that the chain would refuse is refused when read', (t) => {
  const raw = TxRaw.decode(fromHex(SDK_TRANSACTIONS.cancelCreateObject));
  const body = TxBody.decode(raw.bodyBytes);
  const auth = AuthInfo.decode(raw.authInfoBytes);
  const { fee } = auth;
  const [signer] = auth.signerInfos;
  const code = (changes: { body?: object; auth?: object }): string | undefined => {
    const bytes = TxRaw.encode({
      bodyBytes: TxBody.encode(TxBody.fromPartial({ ...body, ...changes.body })).finish(),
      authInfoBytes: AuthInfo.encode(AuthInfo.fromPartial({ ...auth, ...changes.auth })).finish(),
      signatures: raw.signatures,
    }).finish();
    return t.throws(() => decodeTransaction(bytes), { instanceOf: Terminal })?.code;
  };
  const unknown = { typeUrl: '/greenfield.storage.MsgMirrorObject', value: new Uint8Array() };
  t.is(code({ body: { messages: [unknown] } }), 'unknown-message');
  t.is(code({ body: { extensionOptions: [unknown] } }), 'bad-transaction');
  t.is(code({ auth: { tip: { amount: [], tipper: ADDRESS } } }), 'bad-transaction');
  t.is(code({ auth: { fee: { ...fee, amount: [{ denom: 'BNB', amount: '-1' }] } } }), 'bad-transaction');
  t.is(code({ auth: { signerInfos: [{ ...signer, sequence: '9007199254740992' }] } }), 'bad-transaction');
});

test('the fee covers the fixed gas of all messages', (t) => {
  t.is(gasOf([SEAL]), 120);
  t.deepEqual(feeOf([SEAL]), {
    amount: [{ denom: 'BNB', amount: 600_000_000_000n }],
    gasLimit: 120,
    payer: '',
    granter: '',
  });
  t.is(feeOf([SEAL, REJECT], 2n).amount[0]?.amount, 24_240n);
});

test('the digest needs a chain id of Greenfield', (t) => {
  const transaction = decodeTransaction(fromHex(SDK_TRANSACTIONS.createObject));
  const act = () => transactionDigest(transaction, { ...CONTEXT, chainId: '9000' }, 'altai');
  t.is(t.throws(act, { instanceOf: Terminal })?.code, 'bad-chain-id');
});
