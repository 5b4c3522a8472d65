import { Terminal } from '../errors.ts';
import { addressOf, checksumAddress } from './address.ts';
import { fromHex } from './hex.ts';
import { recoverAddress } from './signature.ts';
import {
  SIGN_MODE_EIP_712,
  type SigningContext,
  signerOf,
  type Transaction,
  transactionDigest,
} from './transaction.ts';
import type { Domain } from './typed-transaction.ts';

/**
 * Checks that the account named by a transaction's messages signed it, as the chain does, under either domain. Whether the sequence
 * in the transaction is the account's current one is the caller's to check first: a wrong one has its own code.
 * @returns the signer, EIP-55
 * @throws Terminal `wrong-signers`, `wrong-signature`
 */
export function checkTransactionSignature(transaction: Transaction, context: SigningContext): string {
  const expected = checksumAddress(signerOf(transaction));
  const [signer, ...moreSigners] = transaction.signers;
  const [signature, ...moreSignatures] = transaction.signatures;
  if (!signer || !signature || moreSigners.length > 0 || moreSignatures.length > 0) {
    throw wrongSignature('exactly one signature is expected');
  }
  if (signer.signMode !== SIGN_MODE_EIP_712) throw wrongSignature(`sign mode ${signer.signMode} is not 712`);
  if (signer.publicKey !== undefined && addressOf(fromHex(signer.publicKey)) !== expected) {
    throw wrongSignature(`the public key does not belong to ${expected}`);
  }
  const isSignedUnder = (domain: Domain) =>
    recoverAddress(transactionDigest(transaction, context, domain), signature) === expected;
  if (isSignedUnder('everywhere') || isSignedUnder('altai')) return expected;
  throw wrongSignature(`it is not by ${expected} over this content`);
}

function wrongSignature(why: string): Terminal {
  return new Terminal({
    code: 'wrong-signature',
    message: `The signature of the transaction is not valid: ${why}.`,
    advice: 'Check the chain id, account number and sequence that it was signed with.',
  });
}
