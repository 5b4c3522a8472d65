import { Cache } from '#runtime/async/cache';
import type { ChainBalances } from '#runtime/chain/chain';
import type { KeyBalance } from './provider-view.ts';

/** Fees are small: half a minute changes nothing that matters. */
const TTL_MS = 30_000;
const WEI_DIGITS = 18;

/** The accounts that pay fees, by key. */
export type FeeAccounts = Readonly<Record<KeyBalance['key'], string>>;

/** Reads the balances of the accounts that pay fees, at most twice a minute. */
export function feeBalances(
  chain: ChainBalances,
  accounts: FeeAccounts,
): (signal?: AbortSignal) => Promise<readonly KeyBalance[]> {
  const cache = new Cache<string, readonly KeyBalance[]>({
    ttlMs: TTL_MS,
    maxEntries: 1,
    load: () =>
      Promise.all(
        (['operator', 'seal'] as const).map(async (key) => {
          const address = accounts[key];
          return { key, address, bnb: inBnb(await chain.balance(address)) };
        }),
      ),
  });
  return (signal) => cache.get('all', signal);
}

/** For example `12.5` for 12.5 × 10¹⁸ wei. */
export function inBnb(wei: bigint): string {
  const digits = String(wei).padStart(WEI_DIGITS + 1, '0');
  const whole = digits.slice(0, -WEI_DIGITS);
  const part = digits.slice(-WEI_DIGITS).replace(/0+$/, '');
  return part === '' ? whole : `${whole}.${part}`;
}
