import type { StateReader } from '../state-reader.ts';

/** The number 1 in the chain's fractions, which have 18 decimals. */
const ONE = 10n ** 18n;

/**
 * Prices of the devnet, in the smallest unit of BNB per byte and second, with 18 decimals: small enough that no test
 * runs out of funds, large enough that a fee is never 0. A secondary gets 12 % of the primary's price, the chain's
 * default.
 */
export const Prices = {
  PRIMARY_STORE: (16n * ONE) / 1000n,
  SECONDARY_STORE: (192n * ONE) / 100_000n,
  READ: (8n * ONE) / 1000n,
} as const;

/** Default parameters of the payment module. */
export const PaymentParams = {
  /** Seconds to be paid in advance. */
  RESERVE_TIME: 180n * 24n * 3600n,
  /** Seconds before the end of its balance at which an account is settled by force. */
  FORCED_SETTLE_TIME: 24n * 3600n,
  /** Share of the fees that goes to the validators, in percent. */
  VALIDATOR_TAX: 1n,
  ACCOUNTS_PER_OWNER: 200,
} as const;

/** Formats a price as the chain does: `0.016000000000000000`. */
export function priceText(price: bigint): string {
  return `${price / ONE}.${(price % ONE).toString().padStart(18, '0')}`;
}

/** The fee for storing bytes, per second. Each part is rounded down, as on the chain. */
export function storeRate(state: StateReader, chargedBytes: number): bigint {
  const { dataChunks, parityChunks } = state.params.storage;
  const bytes = BigInt(chargedBytes);
  const primary = (Prices.PRIMARY_STORE * bytes) / ONE;
  const secondaries = ((Prices.SECONDARY_STORE * bytes) / ONE) * BigInt(dataChunks + parityChunks);
  return withTax(primary + secondaries);
}

/** The fee for a bucket's read quota, per second. */
export function readRate(quotaBytes: number): bigint {
  return withTax((Prices.READ * BigInt(quotaBytes)) / ONE);
}

/** The fee that is locked from the announcement of content until its seal. */
export function lockFee(state: StateReader, payloadSize: number): bigint {
  return storeRate(state, chargedSize(state, payloadSize)) * PaymentParams.RESERVE_TIME;
}

/** Number of bytes charged for an object. */
export function chargedSize(state: StateReader, payloadSize: number): number {
  return Math.max(payloadSize, state.params.storage.minChargeSize);
}

function withTax(rate: bigint): bigint {
  return rate + (rate * PaymentParams.VALIDATOR_TAX) / 100n;
}
