import { createHash } from 'node:crypto';
import { PubKey } from '@bnb-chain/greenfield-cosmos-types/cosmos/crypto/eth/ethsecp256k1/keys.js';
import { AuthInfo, TxBody, TxRaw } from '@bnb-chain/greenfield-cosmos-types/cosmos/tx/v1beta1/tx.js';
import { Terminal } from '../errors.ts';
import { checksumAddress } from './address.ts';
import { feeOf } from './fees.ts';
import { fromHex, toHex } from './hex.ts';
import { decodeMessage, encodeMessage, type Message, signerOfMessage } from './messages.ts';
import { hashTypedData } from './typed-data.ts';
import { type Coin, type Domain, type Fee, typedTransaction } from './typed-transaction.ts';
import type { Account, Hex } from './types.ts';

/** The only sign mode that the chain accepts. */
export const SIGN_MODE_EIP_712 = 712;

const PUBLIC_KEY_URL = '/cosmos.crypto.eth.ethsecp256k1.PubKey';

/** A transaction as it came off the wire (TxRaw, protocols/greenfield/README.md#accounts). */
export interface Transaction {
  readonly messages: readonly Message[];
  readonly memo: string;
  readonly timeoutHeight: number;
  readonly fee: Fee;
  readonly signers: readonly SignerInfo[];
  /** Empty ones in a simulation. */
  readonly signatures: readonly Uint8Array[];
}

export interface SignerInfo {
  /** 33 bytes, all zero in a simulation; undefined where the sender relies on the key that the chain knows. */
  readonly publicKey: Hex | undefined;
  readonly signMode: number;
  readonly sequence: number;
}

/** A signed transaction; broadcasting it again is harmless. */
export interface SignedTransaction {
  /** TxRaw, hex. */
  readonly bytes: Hex;
  /** SHA-256 of the bytes, upper-case hex as the chain writes it. */
  readonly hash: string;
  readonly sequence: number;
  /** How many objects it seals, where that is more than one: none of them when one cannot be sealed. */
  readonly seals?: number;
}

/** What an account's holder must bring to a signature; the key itself stays where it is. */
export interface TransactionKey {
  /** 33 bytes, compressed, hex. */
  readonly publicKey: Hex;
  /** Signs a 32-byte digest: r‖s‖v. */
  sign(digest: Uint8Array): Promise<Uint8Array>;
}

export interface TransactionRequest {
  readonly chainId: string;
  readonly account: Account;
  readonly messages: readonly Message[];
  readonly key: TransactionKey;
  /** `feeOf(messages)` by default. */
  readonly fee?: Fee;
  /** Height after which the chain refuses the transaction; never by default. */
  readonly timeoutHeight?: number;
  /** `everywhere` by default: every node accepts it. */
  readonly domain?: Domain;
}

/** Signs messages into TxRaw bytes that the chain accepts as long as the account's sequence stays. */
export async function buildTransaction(request: TransactionRequest): Promise<SignedTransaction> {
  const { account, messages, key, fee = feeOf(messages), timeoutHeight = 0, domain = 'everywhere' } = request;
  const document = { messages, fee, memo: '', timeoutHeight, signers: [], signatures: [] };
  const { accountNumber, sequence } = account;
  const digest = transactionDigest(document, { chainId: request.chainId, accountNumber, sequence }, domain);
  const raw = TxRaw.fromPartial({
    bodyBytes: TxBody.encode(
      TxBody.fromPartial({ messages: messages.map(encodeMessage), timeoutHeight }),
    ).finish(),
    authInfoBytes: encodeAuthInfo(fee, key.publicKey, account.sequence),
    signatures: [await key.sign(digest)],
  });
  const bytes = TxRaw.encode(raw).finish();
  return { bytes: toHex(bytes), hash: transactionHash(bytes), sequence: account.sequence };
}

/** SHA-256 of TxRaw in upper-case hex, as the chain writes it. */
export function transactionHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').toUpperCase();
}

/**
 * Reads TxRaw bytes, signed or of a simulation. Signatures are not checked here.
 * @throws Terminal `bad-transaction`, `unknown-message`, `bad-message`
 */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  try {
    const raw = TxRaw.decode(bytes);
    const body = TxBody.decode(raw.bodyBytes);
    const auth = AuthInfo.decode(raw.authInfoBytes);
    if (auth.tip) throw badTransaction('tips are not supported');
    if (body.extensionOptions.length > 0) throw badTransaction('extension options are not supported');
    return {
      messages: body.messages.map(decodeMessage),
      memo: body.memo,
      timeoutHeight: safeNumber(body.timeoutHeight),
      fee: {
        amount: (auth.fee?.amount ?? []).map(decodeCoin),
        gasLimit: auth.fee ? safeNumber(auth.fee.gasLimit) : 0,
        payer: auth.fee?.payer ?? '',
        granter: auth.fee?.granter ?? '',
      },
      signers: auth.signerInfos.map((signer) => ({
        publicKey: signer.publicKey && decodePublicKey(signer.publicKey),
        signMode: signer.modeInfo?.single?.mode ?? 0,
        sequence: safeNumber(signer.sequence),
      })),
      signatures: raw.signatures.map((signature) => Uint8Array.from(signature)),
    };
  } catch (cause) {
    if (cause instanceof Terminal) throw cause;
    throw badTransaction('the bytes are not a TxRaw', cause);
  }
}

/**
 * The one account that must have signed: the signer of every message, and the payer where one is named.
 * Compared as text, as the chain does.
 * @throws Terminal `wrong-signers`
 */
export function signerOf(transaction: Pick<Transaction, 'messages' | 'fee'>): string {
  const signers = new Set(transaction.messages.map(signerOfMessage));
  if (transaction.fee.payer !== '') signers.add(transaction.fee.payer);
  const [signer] = signers;
  if (signer !== undefined && signers.size === 1) return signer;
  throw new Terminal({
    code: 'wrong-signers',
    message: `wrong number of signers; expected ${signers.size}, got 1`,
    advice: 'Have one account sign all messages and pay, and write its address in EIP-55 case everywhere.',
  });
}

/** What the chain knows of the account, and the transaction does not say itself. */
export interface SigningContext {
  readonly chainId: string;
  readonly accountNumber: number;
  /** The account's current sequence. */
  readonly sequence: number;
}

/** The 32 bytes that the account signs (EIP-712, protocols/greenfield/README.md#eip-712). @throws Terminal `wrong-signers` */
export function transactionDigest(
  transaction: Transaction,
  context: SigningContext,
  domain: Domain,
): Uint8Array {
  const { messages, fee, memo, timeoutHeight } = transaction;
  const document = { ...context, signer: signerOf(transaction), messages, fee, memo, timeoutHeight };
  return hashTypedData(typedTransaction(document, domain));
}

function encodeAuthInfo(fee: Fee, publicKey: Hex, sequence: number): Uint8Array {
  const info = AuthInfo.fromPartial({
    signerInfos: [
      {
        publicKey: {
          typeUrl: PUBLIC_KEY_URL,
          value: PubKey.encode(PubKey.fromPartial({ key: fromHex(publicKey, 33) })).finish(),
        },
        modeInfo: { single: { mode: SIGN_MODE_EIP_712 } },
        sequence,
      },
    ],
    fee: {
      amount: fee.amount.map(({ denom, amount }) => ({ denom, amount: amount.toString() })),
      gasLimit: fee.gasLimit,
      payer: fee.payer && checksumAddress(fee.payer),
      granter: fee.granter && checksumAddress(fee.granter),
    },
  });
  return AuthInfo.encode(info).finish();
}

function decodePublicKey(any: { readonly typeUrl: string; readonly value: Uint8Array }): Hex {
  if (any.typeUrl !== PUBLIC_KEY_URL) throw badTransaction(`keys of type "${any.typeUrl}" are not accepted`);
  return toHex(PubKey.decode(any.value).key);
}

function decodeCoin(coin: { readonly denom: string; readonly amount: string }): Coin {
  if (!/^[0-9]{1,78}$/.test(coin.amount)) throw badTransaction('an amount of the fee is not a number');
  return { denom: coin.denom, amount: BigInt(coin.amount) };
}

function safeNumber(long: { toString(): string }): number {
  const number = Number(long.toString());
  if (!Number.isSafeInteger(number)) throw badTransaction('a number is out of range');
  return number;
}

function badTransaction(why: string, cause?: unknown): Terminal {
  return new Terminal({ code: 'bad-transaction', message: `The transaction cannot be read: ${why}.`, cause });
}
