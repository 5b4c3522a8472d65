import { Terminal } from '#protocols/errors';
import { addressOf, checksumAddress } from '#protocols/greenfield/address';
import { DENOM, MIN_GAS_PRICE } from '#protocols/greenfield/fees';
import { fromHex } from '#protocols/greenfield/hex';
import { decodeTransaction, signerOf, type Transaction } from '#protocols/greenfield/transaction';
import { checkTransactionSignature } from '#protocols/greenfield/transaction-signature';
import { Limits } from './limits.ts';
import type { AccountRecord } from './records.ts';
import { Errors, Refusal } from './refusal.ts';
import type { State } from './state.ts';
import type { StateReader } from './state-reader.ts';
import { validateMessage } from './validation.ts';

/**
 * `check`: whether it may wait for a block; `deliver`: it is in a block; `simulate`: its gas, without a signature.
 */
export type Mode = 'check' | 'deliver' | 'simulate';

/** @throws Refusal when the bytes are not a transaction that the chain knows */
export function readTransaction(bytes: Uint8Array): Transaction {
  try {
    return decodeTransaction(bytes);
  } catch (error) {
    throw new Refusal(Errors.TX_PARSE, error instanceof Terminal ? error.message : undefined);
  }
}

/** Gas of a transaction: a fixed amount per message or, for a long transaction, an amount by its length. */
export function gasUsed(state: StateReader, transaction: Transaction, byteLength: number): GasUse {
  const bySize = byteLength < Limits.TX_BYTES / 2 ? 0 : byteLength * Limits.GAS_PER_BYTE;
  const byType = transaction.messages.reduce((sum, { typeUrl }) => sum + state.messageGas(typeUrl), 0);
  return bySize > byType
    ? { used: bySize, location: 'gas cost by tx bytes length' }
    : { used: byType, location: 'gas cost by msg type' };
}

interface GasUse {
  readonly used: number;
  /** The chain's description of the use. */
  readonly location: string;
}

/**
 * Makes all checks of a transaction that come before its messages, in the chain's order, and charges the signer the fee
 * and the sequence, even if the messages fail later.
 * @param height of the last block for `check`, of the transaction's block for `deliver`
 * @throws Refusal; the state is then unchanged
 */
export function admit(
  state: State,
  transaction: Transaction,
  byteLength: number,
  mode: Mode,
  height: number,
): void {
  const { messages, fee, timeoutHeight } = transaction;
  if (messages.length === 0) {
    throw new Refusal(Errors.INVALID_REQUEST, 'must contain at least one message');
  }
  for (const message of messages) validateMessage(message);
  const signer = checkSigners(transaction);
  if (timeoutHeight > 0 && height > timeoutHeight) {
    throw new Refusal(Errors.TX_TIMEOUT, `block height: ${height}, timeout height: ${timeoutHeight}`);
  }
  if (byteLength > Limits.TX_BYTES) {
    throw new Refusal(Errors.TX_TOO_LARGE, `tx length: ${byteLength}, limit: ${Limits.TX_BYTES}`);
  }
  if (mode !== 'simulate') checkGas(transaction, gasUsed(state, transaction, byteLength));
  if (mode === 'check') checkMinimumFee(transaction);

  const account = state.account(signer);
  if (!account) {
    throw new Refusal(Errors.UNKNOWN_ADDRESS, `fee payer address: ${signer} does not exist`);
  }
  const paid = payFee(account, fee.amount);
  const publicKey = mode === 'simulate' ? account.publicKey : checkPublicKey(transaction, account);
  checkSequence(transaction, account);
  if (mode !== 'simulate') checkSignature(state, transaction, account);
  state.putAccount({ ...paid, publicKey, sequence: account.sequence + 1 });
}

/** @returns the one account that must sign, EIP-55 */
function checkSigners(transaction: Transaction): string {
  if (transaction.signatures.length === 0) throw new Refusal(Errors.NO_SIGNATURES);
  let signer: string;
  try {
    signer = signerOf(transaction);
  } catch (error) {
    throw new Refusal(Errors.UNAUTHORIZED, error instanceof Terminal ? error.message : undefined);
  }
  if (transaction.signatures.length !== 1) {
    const count = transaction.signatures.length;
    throw new Refusal(Errors.UNAUTHORIZED, `wrong number of signers; expected 1, got ${count}`);
  }
  return checksumAddress(signer);
}

function checkGas({ fee }: Transaction, { used, location }: GasUse): void {
  if (fee.gasLimit === 0) throw new Refusal(Errors.INVALID_GAS_LIMIT, 'must provide positive gas');
  if (fee.gasLimit < used) {
    throw new Refusal(
      Errors.OUT_OF_GAS,
      `out of gas in location: ${location}; gasWanted: ${fee.gasLimit}, gasUsed: ${used}`,
    );
  }
}

function checkMinimumFee({ fee }: Transaction): void {
  const required = BigInt(fee.gasLimit) * MIN_GAS_PRICE;
  const offered = fee.amount.find(({ denom }) => denom === DENOM)?.amount ?? 0n;
  if (offered >= required) return;
  throw new Refusal(
    Errors.INSUFFICIENT_FEE,
    `insufficient fees; got: ${offered}${DENOM} required: ${required}${DENOM}`,
  );
}

function payFee(account: AccountRecord, amount: Transaction['fee']['amount']): AccountRecord {
  const balance = BigInt(account.balance);
  const other = amount.find(({ denom }) => denom !== DENOM);
  const due = amount.reduce((sum, coin) => sum + coin.amount, 0n);
  if (other || due > balance) {
    const has = other ? `0${other.denom}` : `${balance}${DENOM}`;
    const needs = other ? `${other.amount}${other.denom}` : `${due}${DENOM}`;
    throw new Refusal(Errors.INSUFFICIENT_FUNDS, `spendable balance ${has} is smaller than ${needs}`);
  }
  return { ...account, balance: (balance - due).toString() };
}

/** @returns the account's public key, which its first signature sets */
function checkPublicKey({ signers }: Transaction, account: AccountRecord): string {
  const publicKey = signers[0]?.publicKey ?? account.publicKey;
  if (publicKey === '') throw new Refusal(Errors.INVALID_PUBLIC_KEY, 'pubkey on account is not set');
  let address: string | undefined;
  try {
    address = addressOf(fromHex(publicKey));
  } catch {
    // Bytes that are not a valid key have no address, and are refused below.
  }
  if (address === account.address) return publicKey;
  throw new Refusal(
    Errors.INVALID_PUBLIC_KEY,
    `pubKey does not match signer address ${account.address} with signer index: 0`,
  );
}

function checkSequence({ signers }: Transaction, account: AccountRecord): void {
  const sequence = signers[0]?.sequence ?? 0;
  if (sequence === account.sequence) return;
  throw new Refusal(
    Errors.WRONG_SEQUENCE,
    `account sequence mismatch, expected ${account.sequence}, got ${sequence}`,
  );
}

function checkSignature(state: State, transaction: Transaction, account: AccountRecord): void {
  const { accountNumber, sequence } = account;
  try {
    checkTransactionSignature(transaction, { chainId: state.chainId, accountNumber, sequence });
  } catch (error) {
    const why = error instanceof Terminal ? error.message : 'malformed';
    throw new Refusal(
      Errors.UNAUTHORIZED,
      `signature verification failed; please verify account (${account.address}); err: ${why}`,
    );
  }
}
