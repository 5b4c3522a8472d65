import { toSealionError } from '#protocols/errors';
import { parseSpStatus, SP_STATUS_PATH } from '#protocols/greenfield/sp-status';
import type { StorageProvider } from '#protocols/greenfield/types';
import { Cache } from '../../async/cache.ts';
import type { Chain } from '../../chain/chain.ts';
import { TRACEPARENT } from '../../telemetry/traces.ts';
import type { HttpLinks } from './links.ts';
import { refusal } from './refusals.ts';

export interface AdmissionOptions {
  readonly chain: Pick<Chain, 'chainId' | 'latestBlock'>;
  readonly providers: () => Promise<readonly StorageProvider[]>;
  readonly links: HttpLinks;
}

/** The reason for which an SP gets no column now. */
export interface NotAdmitted {
  readonly code: string;
  readonly reason: string;
}

/** Time limit for the status of an SP, ms. */
const STATUS_TIMEOUT_MS = 5_000;
/** An SP whose last block is further behind the chain than this may not know the object yet; ms. */
const MAX_LAG_MS = 30_000;

/** How long an admission is reused, ms. The SP itself accepts or refuses a column with the first piece. */
const ADMITTED_MS = 10_000;
/** Maximum number of remembered admissions. */
const MAX_ADMITTED = 1_000;

/**
 * The approval step of the HTTP wire, which has no approvals: a secondary gets a column when it is reachable, in
 * service, and not lagging behind the chain. Simultaneous checks of an SP share one request, and an admission is reused
 * for a while.
 */
export class Admissions {
  readonly #options: AdmissionOptions;
  readonly #verdicts: Cache<number, NotAdmitted | undefined>;
  /** The traceparent of the ask that comes first; those that share its request are not in its trace. */
  #trace: string | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#verdicts = new Cache({
      ttlMs: ADMITTED_MS,
      maxEntries: MAX_ADMITTED,
      load: (spId) => this.#ask(spId),
    });
  }

  /** Admissions that are remembered, and how many may be. */
  get size(): number {
    return this.#verdicts.size;
  }

  get max(): number {
    return this.#verdicts.max;
  }

  /**
   * @returns why an SP gets no column now; undefined when it may get one
   * @throws Cancelled when the signal fires
   */
  async refusalOf(spId: number, signal: AbortSignal, trace?: string): Promise<NotAdmitted | undefined> {
    this.#trace = trace;
    const refused = await this.#verdicts.get(spId, signal);
    if (refused) this.#verdicts.forget(spId);
    return refused;
  }

  async #ask(spId: number): Promise<NotAdmitted | undefined> {
    const { chain, providers, links } = this.#options;
    // before anything is awaited: another ask may come meanwhile
    const headers = this.#trace === undefined ? {} : { [TRACEPARENT]: this.#trace };
    try {
      const provider = (await providers()).find(({ id }) => id === spId);
      if (!provider) return { code: 'sp-unknown', reason: 'The chain does not list it.' };
      if (provider.status !== 'IN_SERVICE') {
        return { code: 'not-in-service', reason: `Its status on chain is ${provider.status}.` };
      }
      const call = { method: 'GET', endpoint: provider.endpoint, path: SP_STATUS_PATH, headers } as const;
      const answer = await links.call(call, { timeoutMs: STATUS_TIMEOUT_MS, signals: [] });
      if (answer.status !== 200) throw await refusal('status-refused', spId, answer);
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
