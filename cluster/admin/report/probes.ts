import type { NatsConnection } from '@nats-io/nats-core';
import { SealionError } from '#protocols/errors';
import { Cache } from '#runtime/async/cache';
import { orAborted } from '#runtime/async/or-aborted';
import { withDeadline } from '#runtime/async/with-deadline';
import type { Chain } from '#runtime/chain/chain';
import type { Succession } from '#runtime/home/succession';
import type { Journal } from '#runtime/journal/journal';
import type { Records } from '#runtime/records/records';
import type { NodeReport } from '../view/node-report.ts';

/** How long one thing may take to answer before it counts as unknown, ms. */
const LIMIT_MS = 700;
/** Answers are used again for this time, ms, however many ask. */
const TTL_MS = 1_000;

export interface ProbeOptions {
  readonly chain: Pick<Chain, 'latestBlock'>;
  readonly homeLink: NatsConnection;
  readonly journal: Pick<Journal, 'position'>;
  readonly records: Pick<Records, 'position'>;
  readonly succession?: Succession;
  readonly space: () => Promise<{ readonly freeBytes: number; readonly limitBytes?: number }>;
}

type Found = Pick<NodeReport, 'chain' | 'nats' | 'records' | 'fenced'> & {
  readonly disk: Omit<NodeReport['disk'], 'reserveBytes'>;
};

/** Looks at everything that a node depends on, in bounded time and at most once a second. */
export class Probes {
  readonly #options: ProbeOptions;
  readonly #found: Cache<string, Found>;
  #fenced = false;

  constructor(options: ProbeOptions) {
    this.#options = options;
    this.#found = new Cache({ ttlMs: TTL_MS, maxEntries: 1, load: () => this.#look() });
  }

  look(): Promise<Found> {
    return this.#found.get('all');
  }

  async #look(): Promise<Found> {
    const [chain, nats, records, fenced, disk] = await Promise.all([
      this.#chain(),
      this.#nats(),
      this.#records(),
      this.#isFenced(),
      this.#options.space().catch(() => ({})),
    ]);
    return { chain, nats, records, fenced, disk };
  }

  async #chain(): Promise<Found['chain']> {
    try {
      const { height, time } = await limited((signal) => this.#options.chain.latestBlock({ signal }));
      return { height, blockAt: time, lagMs: Math.max(0, Date.now() - time) };
    } catch (error) {
      return { error: codeOf(error) };
    }
  }

  async #nats(): Promise<Found['nats']> {
    const { homeLink } = this.#options;
    const versions = homeLink.info ? [homeLink.info.version] : [];
    try {
      const rttMs = await limited((signal) => orAborted(homeLink.rtt(), signal));
      return { connected: true, versions, rttMs };
    } catch {
      return { connected: false, versions };
    }
  }

  async #records(): Promise<Found['records']> {
    const { journal, records } = this.#options;
    try {
      const [written, projected] = await limited((signal) =>
        orAborted(Promise.all([journal.position(), records.position()]), signal),
      );
      return { reachable: true, behind: Math.max(0, written - projected) };
    } catch (error) {
      return { reachable: false, error: codeOf(error) };
    }
  }

  /** Once fenced, a node remains so; while nobody can say, the last answer holds. */
  async #isFenced(): Promise<boolean> {
    const { succession } = this.#options;
    if (!succession || this.#fenced) return this.#fenced;
    await limited((signal) => orAborted(succession.check(), signal)).catch((error: unknown) => {
      this.#fenced = codeOf(error) === 'journal-fenced';
    });
    return this.#fenced;
  }
}

function limited<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return withDeadline(LIMIT_MS, [], task);
}

function codeOf(error: unknown): string {
  return error instanceof SealionError ? error.code : 'unexpected';
}
