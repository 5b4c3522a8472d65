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
  /** To the other SPs; absent where they are reached over HTTP alone. */
  readonly peersLink?: NatsConnection | undefined;
  readonly journal: Pick<Journal, 'position'>;
  readonly records: Pick<Records, 'position'>;
  readonly succession?: Succession;
  readonly space: (
    signal: AbortSignal,
  ) => Promise<{ readonly freeBytes: number; readonly limitBytes?: number }>;
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
    const [chain, nats, records, fenced, space] = await Promise.all([
      this.#chain(),
      this.#nats(),
      this.#records(),
      this.#isFenced(),
      this.#space(),
    ]);
    return { chain, nats: { ...nats, jetStream: space !== undefined }, records, fenced, disk: space ?? {} };
  }

  async #chain(): Promise<Found['chain']> {
    try {
      const { height, time } = await limited((signal) =>
        orAborted(this.#options.chain.latestBlock({ signal }), signal),
      );
      return { height, blockAt: time, lagMs: Math.max(0, Date.now() - time) };
    } catch (error) {
      return { error: codeOf(error) };
    }
  }

  async #nats(): Promise<Omit<Found['nats'], 'jetStream'>> {
    const { homeLink, peersLink } = this.#options;
    const versions = homeLink.info ? [homeLink.info.version] : [];
    const [rttMs, peersRttMs] = await Promise.all([roundTrip(homeLink), peersLink && roundTrip(peersLink)]);
    return {
      connected: rttMs !== undefined,
      versions,
      ...(rttMs !== undefined && { rttMs }),
      ...(peersLink && { peersConnected: peersRttMs !== undefined }),
    };
  }

  /** Without a journal that answers nobody knows how far the SQL DB is behind; that it answers is another matter. */
  async #records(): Promise<Found['records']> {
    const { journal, records } = this.#options;
    const written = limited((signal) => orAborted(journal.position(), signal)).catch(() => undefined);
    try {
      const projected = await limited((signal) => orAborted(records.position(), signal));
      const position = await written;
      return {
        reachable: true,
        ...(position !== undefined && { behind: Math.max(0, position - projected) }),
      };
    } catch (error) {
      return { reachable: false, error: codeOf(error) };
    }
  }

  /** JetStream itself says how much room there is: undefined when it does not answer. */
  async #space(): Promise<Omit<NodeReport['disk'], 'reserveBytes'> | undefined> {
    return limited((signal) => orAborted(this.#options.space(signal), signal)).catch(() => undefined);
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

async function roundTrip(link: NatsConnection): Promise<number | undefined> {
  return limited((signal) => orAborted(link.rtt(), signal)).catch(() => undefined);
}

function limited<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return withDeadline(LIMIT_MS, [], task);
}

function codeOf(error: unknown): string {
  return error instanceof SealionError ? error.code : 'unexpected';
}
