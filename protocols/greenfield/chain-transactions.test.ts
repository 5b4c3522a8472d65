import test from 'ava';
import { addressOf } from './address.ts';
import { CHAIN_ID, EXECUTED_TRANSACTIONS, type ExecutedTransaction } from './chain-transactions.fixture.ts';
import { fromHex, toHex } from './hex.ts';
import { publicKeyOf, recoverAddress, signDigest } from './signature.ts';
import { buildTransaction, decodeTransaction, transactionDigest } from './transaction.ts';
import { checkTransactionSignature } from './transaction-signature.ts';
import type { Domain } from './typed-transaction.ts';

const contextOf = ({ accountNumber, sequence }: ExecutedTransaction) => ({
  chainId: CHAIN_ID,
  accountNumber,
  sequence,
});

/** Under which domain it was signed. */
function domainOf(executed: ExecutedTransaction): Domain | undefined {
  const transaction = decodeTransaction(fromHex(executed.bytes));
  const address = addressOf(publicKeyOf(fromHex(executed.privateKey)));
  const [signature = new Uint8Array()] = transaction.signatures;
  return (['everywhere', 'altai'] as const).find(
    (domain) =>
      recoverAddress(transactionDigest(transaction, contextOf(executed), domain), signature) === address,
  );
}

for (const [index, executed] of EXECUTED_TRANSACTIONS.entries()) {
  const { type, hash, bytes, privateKey, accountNumber, sequence, digestOfAltai } = executed;

  test(`${index}: ${type}, executed by a real node, is decoded, verified and rebuilt byte for byte`, async (t) => {
    const secret = fromHex(privateKey);
    const address = addressOf(publicKeyOf(secret));
    const transaction = decodeTransaction(fromHex(bytes));
    t.is(checkTransactionSignature(transaction, contextOf(executed)), address);
    t.is(toHex(transactionDigest(transaction, contextOf(executed), 'altai')), digestOfAltai);

    const domain = domainOf(executed);
    if (!domain) return t.fail();
    // Wallets, and with them the JS SDK, write v as 27 or 28, everybody else as 0 or 1.
    const asWallet = (transaction.signatures[0]?.[64] ?? 0) >= 27;
    const key = {
      publicKey: toHex(publicKeyOf(secret)),
      sign: async (digest: Uint8Array) => {
        const signature = signDigest(digest, secret);
        if (asWallet) signature[64] = (signature[64] ?? 0) + 27;
        return signature;
      },
    };
    const { messages, fee, timeoutHeight } = transaction;
    const account = { address, accountNumber, sequence };
    const built = await buildTransaction({
      ...{ chainId: CHAIN_ID, account, messages, fee, timeoutHeight, key, domain },
    });
    t.is(built.bytes, bytes);
    t.is(built.hash, hash);
  });
}

test('a node after upgrade Altai accepts both domains, for nine message types', (t) => {
  t.is(EXECUTED_TRANSACTIONS.length, 36);
  t.is(new Set(EXECUTED_TRANSACTIONS.map(({ type }) => type)).size, 9);
  const domains = EXECUTED_TRANSACTIONS.map(domainOf);
  t.is(domains.filter((domain) => domain === 'everywhere').length, 8);
  t.is(domains.filter((domain) => domain === 'altai').length, 28);
});

test('Sealion signs under the domain that nodes accept before and after Altai', async (t) => {
  const [executed] = EXECUTED_TRANSACTIONS;
  if (!executed) return t.fail();
  const { messages, fee } = decodeTransaction(fromHex(executed.bytes));
  const secret = fromHex(executed.privateKey);
  const key = {
    publicKey: toHex(publicKeyOf(secret)),
    sign: async (digest: Uint8Array) => signDigest(digest, secret),
  };
  const { accountNumber, sequence } = executed;
  const account = { address: addressOf(publicKeyOf(secret)), accountNumber, sequence };
  const built = await buildTransaction({ chainId: CHAIN_ID, account, messages, fee, key });
  t.is(domainOf({ ...executed, bytes: built.bytes }), 'everywhere');
});
