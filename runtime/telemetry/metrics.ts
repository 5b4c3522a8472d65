import { type LastHour, MinuteSeries, type Totals } from './metrics/last-hour.ts';
import { Registry } from './metrics/registry.ts';

export type { LastHour, Totals } from './metrics/last-hour.ts';

/** Codes of errors that are kept apart, over all places where they are counted; protocols/ERRORS.md has some 330. */
const MAX_CODES = 1_000;

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

  /** Outcome: `sealed`, `rejected`, `gone` (deleted or cancelled on chain). */
  readonly jobsEnded = this.registry.counts('sealion_jobs_ended_total', 'Jobs that have ended.', ['outcome']);

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
