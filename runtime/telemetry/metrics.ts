import { type LastHour, MinuteSeries, type Totals } from './metrics/last-hour.ts';
import { Registry } from './metrics/registry.ts';
import type { Bound, Kept, Sizes } from './sizes.ts';

export type { LastHour, Totals } from './metrics/last-hour.ts';

/** Codes of errors that are kept apart, over all places where they are counted; protocols/ERRORS.md has some 330. */
const MAX_CODES = 1_000;

/** Alert rules ask whether these have grown: a count that first appears as 1 has not, as far as Prometheus knows. */
const ALERTED = ['payload-lost', 'fee-too-high', 'chain-sdk-5'];

/** What a connection to a nats-server has carried, as its client counts it. */
export interface LinkStats {
  readonly inBytes: number;
  readonly outBytes: number;
}

/**
 * Everything that a node counts and times, by name: `/metrics` shows it to Prometheus, and the pages for operators show
 * its sums and its last hour. Each node has its own. Names begin with `sealion_` and end in their unit. What is measured
 * where it arises has a field here; sizes and other states are read when they are asked for (`registry.read`).
 */
export class Metrics implements Sizes {
  readonly registry = new Registry();

  /** Where: `gateway`, `job` (failed phases), `actor` (failures of actors), `peers` (input of other SPs that was refused). */
  readonly errors = this.registry.counts(
    'sealion_errors_total',
    'Errors by the place where they were met and their code (protocols/ERRORS.md).',
    ['where', 'code'],
    MAX_CODES,
  );

  readonly uploads = this.registry.count('sealion_uploads_total', 'Payloads acknowledged to clients.');

  /** Direction: `in`, `out`. */
  readonly clientBytes = this.registry.counts(
    'sealion_client_bytes_total',
    'Payload received from clients and sent to them.',
    ['direction'],
  );

  /** By operation of the gateway, for example `putObject`, and status, for example `200`. */
  readonly requests = this.registry.counts('sealion_requests_total', 'Requests answered by the gateway.', [
    'operation',
    'status',
  ]);

  readonly requestSeconds = this.registry.distributions(
    'sealion_request_seconds',
    'From the head of a request to the end of its answer.',
    ['operation'],
  );

  readonly stateSeconds = this.registry.distributions(
    'sealion_job_state_seconds',
    'How long jobs were in each state; those that end in DOING are the phases, those in ERROR the delays before retries.',
    ['state'],
  );

  readonly sealSeconds = this.registry.distribution(
    'sealion_job_seal_seconds',
    'From the stored payload to the seal on chain.',
  );

  readonly retries = this.registry.counts(
    'sealion_job_retries_total',
    'Phases of jobs that were begun again after a failure, by the state that had failed.',
    ['state'],
  );

  /** Outcome: `sealed`, `discontinued` (rejected by us, or deleted or cancelled on chain). */
  readonly jobsEnded = this.registry.counts('sealion_jobs_ended_total', 'Jobs that have ended.', ['outcome']);

  readonly columnSeconds = this.registry.distributions(
    'sealion_column_seconds',
    'From the offer of a column to its receipt.',
    ['wire'],
  );

  readonly receivedColumnSeconds = this.registry.distribution(
    'sealion_received_column_seconds',
    'From an offer of another SP over NATS to our receipt.',
  );

  /** Operation: `put`, `get`, `read`, `stat`, `delete`. */
  readonly pieceSeconds = this.registry.distributions(
    'sealion_piece_store_seconds',
    'Operations of the PieceStore, reads to their last byte.',
    ['operation'],
  );

  readonly pieceBytes = this.registry.counts(
    'sealion_piece_store_bytes_total',
    'Bytes written to the PieceStore and read from it.',
    ['direction'],
  );

  readonly journalSeconds = this.registry.distribution(
    'sealion_journal_append_seconds',
    'Time until an event of a job is durable.',
  );

  readonly chainSeconds = this.registry.distributions(
    'sealion_chain_request_seconds',
    'Time that callers wait for an answer about the chain, used again or not.',
    ['query'],
  );

  readonly mailboxFull = this.registry.counts(
    'sealion_messages_refused_total',
    'Messages that an actor did not get, since its mailbox was full.',
    ['kind'],
  );

  /** By name: what is opened again replaces what was before. */
  readonly #bounds = new Map<string, Bound>();
  readonly #caches = new Map<string, Kept>();
  readonly #links: (readonly [plane: string, stats: () => LinkStats])[] = [];

  readonly #bytesIn = this.clientBytes.of('in');
  readonly #bytesOut = this.clientBytes.of('out');
  readonly #sealed = this.jobsEnded.of('sealed');
  readonly #minutes = new MinuteSeries(() => this.totals());

  /** Sums since the node was started. */
  totals(): Totals {
    const errors: Record<string, number> = {};
    for (const [[, code = ''], { value }] of this.errors) {
      if (value > 0) errors[code] = (errors[code] ?? 0) + value;
    }
    return {
      uploads: this.uploads.value,
      bytesIn: this.#bytesIn.value,
      bytesOut: this.#bytesOut.value,
      seals: this.#sealed.value,
      errors,
    };
  }

  watchBound(bound: Bound): void {
    this.#bounds.set(bound.what, bound);
  }

  watchCache(kept: Kept): void {
    this.#caches.set(kept.cache, kept);
  }

  /** Counts the bytes of a connection to a nats-server. @param plane `home`, `home_reads` or `peers` */
  watchLink(plane: string, link: { stats(): LinkStats }): void {
    this.#links.push([plane, () => link.stats()]);
  }

  constructor() {
    for (const code of ALERTED) for (const where of ['job', 'actor']) this.errors.of(where, code);
    const bytes = () =>
      this.#links.flatMap(([plane, stats]) => {
        const { inBytes, outBytes } = stats();
        return [[[plane, 'in'], inBytes] as const, [[plane, 'out'], outBytes] as const];
      });
    const help = 'Bytes of the connections to nats-servers.';
    this.registry.readAll('sealion_nats_bytes_total', help, ['plane', 'direction'], bytes, 'counter');
    this.#showSizes();
  }

  #showSizes(): void {
    for (const unit of ['bytes', 'items'] as const) {
      const bounds = () => [...this.#bounds.values()].filter((bound) => bound.unit === unit);
      const caches = () => [...this.#caches.values()].filter((kept) => kept.unit === unit);
      const show = (name: string, help: string, label: string, of: () => (readonly [string, number])[]) =>
        this.registry.readAll(name, `${help}, in ${unit}.`, [label], () =>
          of().map(([value, size]) => [[value], size] as const),
        );
      show(`sealion_bounded_${unit}`, 'What is in use of something bounded', 'what', () =>
        bounds().map((bound) => [bound.what, bound.used()]),
      );
      show(`sealion_bounded_limit_${unit}`, 'Limit of something bounded', 'what', () =>
        bounds().map((bound) => [bound.what, bound.limit()]),
      );
      show(`sealion_cache_${unit}`, 'Size of a cache, which is full most of the time', 'cache', () =>
        caches().map((kept) => [kept.cache, kept.size()]),
      );
      show(`sealion_cache_limit_${unit}`, 'Limit of a cache', 'cache', () =>
        caches().map((kept) => [kept.cache, kept.limit]),
      );
    }
  }

  lastHour(): LastHour {
    return this.#minutes.report();
  }

  /** Samples for `lastHour` until it is stopped: without it, sums go to the minute in which they are asked for. */
  keepMinutes(): { stop(): void } {
    return this.#minutes.run();
  }

  /** The answer to `/metrics`. */
  async text(): Promise<{ readonly body: string; readonly contentType: string }> {
    return { body: await this.registry.text(), contentType: this.registry.contentType };
  }
}
