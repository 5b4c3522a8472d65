import { toSealionError } from '#protocols/errors';
import { parseSpStatus, SP_STATUS_PATH } from '#protocols/greenfield/sp-status';
import type { StorageProvider } from '#protocols/greenfield/types';
import { Cache } from '../../async/cache.ts';
import type { Chain } from '../../chain/chain.ts';
import type { HttpLinks } from './links.ts';
import { refusal } from './refusals.ts';

export interface AdmissionOptions {
  readonly chain: Pick<Chain, 'chainId' | 'latestBlock'>;
  readonly providers: () => Promise<readonly StorageProvider[]>;
  readonly links: HttpLinks;
}

/** Why an SP is given no column now. */
export interface NotAdmitted {
  readonly code: string;
  readonly reason: string;
}

/** How long an SP may take to tell its status; ms. */
const STATUS_TIMEOUT_MS = 5_000;
/** An SP whose last block is older than the chain's by more is not believed to know the object; ms. */
const MAX_LAG_MS = 30_000;

/** How long an SP that was admitted is not asked again; ms. Whether it takes a column it says with the first piece. */
const ADMITTED_MS = 10_000;
/** SPs that are remembered. */
const MAX_ADMITTED = 1_000;

/**
 * The approval step of the HTTP wire, on which nobody approves: a secondary gets a column when it is reachable, in
 * service, and not lagging behind the chain. Who is asked about at the same time is asked once, and one that was
 * admitted is not asked again for a while.
 */
export class Admissions {
  readonly #options: AdmissionOptions;
  readonly #verdicts: Cache<number, NotAdmitted | undefined>;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#verdicts = new Cache({
      ttlMs: ADMITTED_MS,
      maxEntries: MAX_ADMITTED,
      load: (spId) => this.#ask(spId),
    });
  }

  /**
   * @returns why an SP is given no column now; undefined when it is
   * @throws Cancelled when the signal fires
   */
  async refusalOf(spId: number, signal: AbortSignal): Promise<NotAdmitted | undefined> {
    const refused = await this.#verdicts.get(spId, signal);
    if (refused) this.#verdicts.forget(spId);
    return refused;
  }

  async #ask(spId: number): Promise<NotAdmitted | undefined> {
    const { chain, providers, links } = this.#options;
    try {
      const provider = (await providers()).find(({ id }) => id === spId);
      if (!provider) return { code: 'sp-unknown', reason: 'The chain does not list it.' };
      if (provider.status !== 'IN_SERVICE') {
        return { code: 'not-in-service', reason: `Its status on chain is ${provider.status}.` };
      }
      const call = { method: 'GET', endpoint: provider.endpoint, path: SP_STATUS_PATH } as const;
      const answer = await links.call(call, { timeoutMs: STATUS_TIMEOUT_MS, signals: [] });
      if (answer.status !== 200) throw refusal('status-refused', spId, answer);
      const status = parseSpStatus(answer.body);
      if (status.operatorAddress.toLowerCase() !== provider.operatorAddress.toLowerCase()) {
        return { code: 'wrong-sp', reason: `Its endpoint belongs to ${status.operatorAddress || 'nobody'}.` };
      }
      if (status.chainId !== chain.chainId) {
        return { code: 'wrong-chain', reason: `It is on chain ${status.chainId || 'unknown'}.` };
      }
      if (!status.takesPieces) return { code: 'wire-off', reason: 'It does not accept columns over HTTP.' };
      const lag = (await chain.latestBlock({ age: 'block' })).time - status.blockTime;
      if (lag > MAX_LAG_MS) {
        return { code: 'chain-lag', reason: `It is ${Math.round(lag / 1000)} s behind the chain.` };
      }
      return undefined;
    } catch (thrown) {
      const { code, message } = toSealionError(thrown);
      return { code, reason: message };
    }
  }
}
