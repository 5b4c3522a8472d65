import { type LastHour, MinuteSeries, type Totals } from './metrics/last-hour.ts';
import { Registry } from './metrics/registry.ts';

export type { LastHour, Totals } from './metrics/last-hour.ts';

/** Codes of errors that are kept apart, over all places where they are counted; protocols/ERRORS.md has some 330. */
const MAX_CODES = 1_000;

/** Something that has a limit, for the alert that it is reached. */
export interface Bound {
  /** Plural, with `_` for spaces, for example `uploads`. */
  readonly what: string;
  readonly unit: 'bytes' | 'items';
  limit(): number;
  used(): number;
}

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
export class Metrics {
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

  readonly #bounds: Bound[] = [];
  readonly #links: (readonly [plane: string, stats: () => LinkStats])[] = [];

  readonly #bytesIn = this.clientBytes.of('in');
  readonly #bytesOut = this.clientBytes.of('out');
  readonly #sealed = this.jobsEnded.of('sealed');
  readonly #minutes = new MinuteSeries(() => this.totals());

  /** Sums since the node was started. */
  totals(): Totals {
    const errors: Record<string, number> = {};
    for (const [[, code = ''], { value }] of this.errors) errors[code] = (errors[code] ?? 0) + value;
    return {
      uploads: this.uploads.value,
      bytesIn: this.#bytesIn.value,
      bytesOut: this.#bytesOut.value,
      seals: this.#sealed.value,
      errors,
    };
  }

  /** Watches something that has a limit. @param what for example `uploads`; a plural, with `_` for spaces */
  watchBound(bound: Bound): void {
    this.#bounds.push(bound);
  }

  /** Counts the bytes of a connection to a nats-server. @param plane `home`, `home_reads` or `peers` */
  watchLink(plane: string, link: { stats(): LinkStats }): void {
    this.#links.push([plane, () => link.stats()]);
  }

  constructor() {
    const bytes = () =>
      this.#links.flatMap(([plane, stats]) => {
        const { inBytes, outBytes } = stats();
        return [[[plane, 'in'], inBytes] as const, [[plane, 'out'], outBytes] as const];
      });
    const help = 'Bytes of the connections to nats-servers.';
    this.registry.readAll('sealion_nats_bytes_total', help, ['plane', 'direction'], bytes, 'counter');
    for (const unit of ['bytes', 'items'] as const) {
      const of = (value: (bound: Bound) => number) =>
        this.#bounds
          .filter((bound) => bound.unit === unit)
          .map((bound) => [[bound.what], value(bound)] as const);
      const help = `of what is bounded, in ${unit}.`;
      this.registry.readAll(`sealion_bounded_${unit}`, `Size ${help}`, ['what'], () =>
        of(({ used }) => used()),
      );
      this.registry.readAll(`sealion_bounded_limit_${unit}`, `Limit ${help}`, ['what'], () =>
        of(({ limit }) => limit()),
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
