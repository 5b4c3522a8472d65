import { Retryable } from '../errors.ts';
import { MESSAGE_TYPES, type Message } from './messages.ts';
import type { Fee } from './typed-transaction.ts';

/** The chain's coin; 10^18 of its smallest unit are one BNB. */
export const DENOM = 'BNB';

/** Smallest units of BNB per gas: 5 gwei (protocols/sealing/README.md#gas-and-fees). */
export const MIN_GAS_PRICE = 5_000_000_000n;

/** What an SP is ready to pay for a transaction. */
export interface FeePolicy {
  /** Smallest units of BNB per gas; more where the node asks for more. */
  readonly gasPrice: bigint;
  /** The limit as a multiple of the gas that is used: the chain may raise its gas in between. */
  readonly gasHeadroom: number;
  /** The most that one transaction may cost, in smallest units of BNB. */
  readonly maxFee: bigint;
}

/** The policy in an operator's units. */
export function feePolicy(of: {
  readonly gasPriceGwei: number;
  readonly gasHeadroom: number;
  readonly maxFeeBnb: number;
}): FeePolicy {
  return {
    gasPrice: BigInt(Math.round(of.gasPriceGwei * 1e9)),
    gasHeadroom: of.gasHeadroom,
    maxFee: BigInt(Math.round(of.maxFeeBnb * 1e9)) * 1_000_000_000n,
  };
}

/** Twice the gas: a seal costs 0.0000012 BNB, a reject 0.00012 BNB. The Go SP signs seals with ten times the gas. */
export const FEE_POLICY: FeePolicy = {
  gasPrice: MIN_GAS_PRICE,
  gasHeadroom: 2,
  maxFee: 5n * 10n ** 15n,
};

/**
 * The fee of a transaction that uses so much gas. The chain takes the whole fee, limit times price, whatever is used.
 * @param minGasPrice what the node asks for at least, if that is known
 * @throws Retryable `fee-too-high` when even the gas that is used would cost more than the policy allows
 */
export function quoteFee(gas: number, minGasPrice: bigint | undefined, policy: FeePolicy): Fee {
  const { gasPrice, gasHeadroom, maxFee } = policy;
  const price = minGasPrice !== undefined && minGasPrice > gasPrice ? minGasPrice : gasPrice;
  const affordable = maxFee / price;
  if (BigInt(gas) > affordable) {
    throw new Retryable({
      code: 'fee-too-high',
      message: `A transaction would cost ${formatBnb(BigInt(gas) * price)} BNB, more than the limit of ${formatBnb(maxFee)} BNB.`,
      advice: 'Check the chain node; raise chain.fees.maxFeeBnb if fees on the chain have risen that far.',
    });
  }
  const wanted = BigInt(Math.ceil(gas * gasHeadroom));
  const gasLimit = wanted < affordable ? wanted : affordable;
  return {
    amount: [{ denom: DENOM, amount: gasLimit * price }],
    gasLimit: Number(gasLimit),
    payer: '',
    granter: '',
  };
}

/** How often so much gas, with its headroom, fits into the highest fee of one transaction; 1 at least. */
export function timesAffordable(gas: number, minGasPrice: bigint | undefined, policy: FeePolicy): number {
  const { gasPrice, gasHeadroom, maxFee } = policy;
  const price = minGasPrice !== undefined && minGasPrice > gasPrice ? minGasPrice : gasPrice;
  return Math.max(1, Math.floor(Number(maxFee / price) / (gas * gasHeadroom)));
}

function formatBnb(amount: bigint): string {
  return (Number(amount) / 1e18).toString();
}

/**
 * The gas that the chain charges for messages unless governance has changed it; who can, asks the chain
 * (`Chain.messageGas`).
 */
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
