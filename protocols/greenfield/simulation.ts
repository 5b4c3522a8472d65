import { AuthInfo, TxRaw } from '@bnb-chain/greenfield-cosmos-types/cosmos/tx/v1beta1/tx.js';
import { Long } from '@bnb-chain/greenfield-cosmos-types/helpers.js';
import { ChainError, isChainError } from './chain-errors.ts';

/** What a node says against a transaction. */
export interface ChainRefusal {
  readonly code: number;
  readonly codespace: string;
  readonly log: string;
}

/** What became of a transaction that was only tried out, on the node's latest state. */
export type Simulation =
  | {
      readonly kind: 'accepted';
      readonly gasUsed: number;
      /** The lowest price that the node takes, in smallest units of BNB per gas; undefined where it says none. */
      readonly minGasPrice: bigint | undefined;
    }
  | ({ readonly kind: 'refused' } & ChainRefusal);

/**
 * A signed transaction as it is tried out: without its signature, which a simulation does not look at, and with
 * another sequence, which it does look at.
 */
export function simulationOf(transaction: Uint8Array, sequence: number): Uint8Array {
  const raw = TxRaw.decode(transaction);
  const auth = AuthInfo.decode(raw.authInfoBytes);
  for (const signer of auth.signerInfos) signer.sequence = Long.fromNumber(sequence, true);
  const authInfoBytes = AuthInfo.encode(auth).finish();
  const signatures = raw.signatures.map(() => new Uint8Array());
  return TxRaw.encode(TxRaw.fromPartial({ ...raw, authInfoBytes, signatures })).finish();
}

const QUERY_LOG = /^(?:rpc error: code = Unknown desc = )?(.*) With gas wanted: '\d+' and gas used: '\d+'/s;

/** What a node writes where its own code fails. */
const PANIC = /^recovered: .*: panic$/s;

/**
 * The refusal in the log of a simulation. Such a query fails with `unknown request` whatever was wrong, and the
 * transaction's own code is lost; its text stays, ahead of the gas (greenfield-cosmos-sdk, x/auth/tx/service.go).
 * @returns undefined where the log is about the query or the node's own failure, not about the transaction
 */
export function refusalOfSimulation(log: string): ChainRefusal | undefined {
  const text = QUERY_LOG.exec(log)?.[1];
  if (text === undefined || PANIC.test(text)) return undefined;
  const error = Object.values<ChainError>(ChainError).find((known) => text.endsWith(known.text));
  return { code: error?.code ?? 1, codespace: error?.codespace ?? 'undefined', log: text };
}

/** Ahead of what a message itself says. */
const OF_MESSAGE = /^failed to execute message; message index: (\d+): /;

/** True where a message itself failed, and not what is asked of every transaction. */
export function isOfMessage({ log }: ChainRefusal): boolean {
  return OF_MESSAGE.test(log);
}

/** Which message of a transaction failed, from 0; undefined where that is not why it was refused. */
export function failedMessage({ log }: ChainRefusal): number | undefined {
  const index = OF_MESSAGE.exec(log)?.[1];
  return index === undefined ? undefined : Number(index);
}

/** What a failed message says, without its place in the transaction. */
export function messageText({ log }: ChainRefusal): string {
  return log.replace(OF_MESSAGE, '');
}

/** The sequence that the chain expected, where a transaction was refused for a wrong one and the log says which. */
export function expectedSequence(refusal: ChainRefusal): number | undefined {
  if (!isChainError(refusal, ChainError.WRONG_SEQUENCE)) return undefined;
  const expected = /expected (\d+), got \d+/.exec(refusal.log)?.[1];
  return expected === undefined ? undefined : Number(expected);
}

/** A price as a node writes it, for example `5000000000BNB`. */
export function parseGasPrice(text: string): bigint | undefined {
  const amount = /^(\d{1,38})(?:\.\d+)?BNB$/.exec(text)?.[1];
  return amount === undefined ? undefined : BigInt(amount);
}
