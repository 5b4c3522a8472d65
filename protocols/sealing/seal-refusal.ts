import { ChainError, isChainError } from '../greenfield/chain-errors.ts';
import { type ChainRefusal, isOfMessage, messageText } from '../greenfield/simulation.ts';

/**
 * Whose fault it is that the chain refused a seal or a reject; each has a cure of its own.
 * - `group`: the virtual group cannot take the object, or other SPs have signed than its members
 * - `payment`: the account that pays for the bucket is frozen, or has too little
 * - `sequence`: another transaction has used the sequence
 * - `gas`: the limit or the price of the gas is below what the chain asks for now
 * - `fee-balance`: the signing account cannot pay the fee
 */
export type Fault = 'group' | 'payment' | 'sequence' | 'gas' | 'fee-balance' | 'unknown';

/**
 * Tells the reasons apart. The number alone says too little: 1123 wraps every error of binding an object to its group,
 * the payment's among them (greenfield, x/storage/keeper/keeper.go SealObject), a reject that the payment stands in
 * the way of has no number, and a simulation loses all numbers. Names of buckets and objects stand in the middle of
 * these texts, and their owners choose them: so only the beginning and the end decide.
 */
export function faultOf(refusal: ChainRefusal): Fault {
  if (isChainError(refusal, ChainError.WRONG_SEQUENCE)) return 'sequence';
  const isOf = (errors: readonly ChainError[]) => errors.some((error) => isChainError(refusal, error));
  if (!isOfMessage(refusal) && isOf(OF_GAS)) return 'gas';
  if (!isOfMessage(refusal) && isOf(OF_FEE_BALANCE)) return 'fee-balance';

  const said = messageText(refusal);
  const wrapped = /^err message: (.*?)(?:: invalid global virtual group)?$/s.exec(said)?.[1];
  const text = wrapped ?? said;
  if (OF_PAYMENT.some((pattern) => pattern.test(text))) return 'payment';
  if (refusal.codespace === 'payment' || isOf([ChainError.CHARGE_FAILED])) return 'payment';
  if (OF_GROUP_TEXTS.some((pattern) => pattern.test(text))) return 'group';
  if (wrapped !== undefined) return 'unknown';
  return refusal.codespace === 'virtualgroup' || isOf(OF_GROUP) ? 'group' : 'unknown';
}

const OF_GAS: readonly ChainError[] = [ChainError.OUT_OF_GAS, ChainError.INSUFFICIENT_FEE];
const OF_FEE_BALANCE: readonly ChainError[] = [ChainError.INSUFFICIENT_FUNDS, ChainError.UNKNOWN_ADDRESS];
const OF_GROUP: readonly ChainError[] = [
  ChainError.INVALID_GVG,
  ChainError.VIRTUAL_GROUP_FAILED,
  ChainError.INVALID_BLS_KEY,
  ChainError.INVALID_BLS_SIGNATURE,
];

/** Of greenfield's x/storage/keeper/payment.go, x/payment/keeper/{stream_record,storage_fee_charge}.go. */
const OF_PAYMENT: readonly RegExp[] = [
  /^(un)?lock store fee failed/,
  /^(un)?charge\b/,
  /^apply (object store bill|user flows list|stream record changes)/,
  /^update stream record failed/,
  /^pay (for early deletion|address)/,
  /^subtracting from payment account failed/,
  /^bucket is rate limited/,
  /^payment account is not changed but the bucket is limited/,
  /^(static )?balance is not enough/,
  /^lock balance can not become negative/,
  /^stream (record|account) 0x/,
  /^(.*: )?insufficient balance$/,
  /stream record 0x[0-9a-fA-F]{40} is frozen$/,
];

/** Of x/storage/keeper/{keeper,virtualgroup}.go and x/virtualgroup/types/errors.go. */
const OF_GROUP_TEXTS: readonly RegExp[] = [
  /^Global virtual group mismatch/,
  /^secondary sp num mismatch/,
  /^The local virtual groups binding on bucket/,
  /^(global|local) virtual group (family )?not exist/,
  /insufficient staking for gvg$/,
  /operate virtual group failed\.$/,
  /(global|local) virtual group (family )?not exist( in family)?\.$/,
];
