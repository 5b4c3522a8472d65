import { MESSAGE_TYPES, type Message } from './messages.ts';
import type { Fee } from './typed-transaction.ts';

/** The chain's coin; 10^18 of its smallest unit are one BNB. */
export const DENOM = 'BNB';

/** Smallest units of BNB per gas: 5 gwei (greenfield.md §7.4). */
export const MIN_GAS_PRICE = 5_000_000_000n;

/** The gas that the chain charges for messages; fixed per type. */
export function gasOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { typeUrl }) => sum + MESSAGE_TYPES[typeUrl].gas, 0);
}

/**
 * The fee that a transaction with these messages needs, paid by its signer.
 * @param gasPrice smallest units of BNB per gas
 */
export function feeOf(messages: readonly Message[], gasPrice: bigint = MIN_GAS_PRICE): Fee {
  const gasLimit = gasOf(messages);
  return {
    amount: [{ denom: DENOM, amount: BigInt(gasLimit) * gasPrice }],
    gasLimit,
    payer: '',
    granter: '',
  };
}
