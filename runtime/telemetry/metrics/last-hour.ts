/** Sums since the start of a node. */
export interface Totals {
  /** Payloads that were acknowledged to clients. */
  readonly uploads: number;
  /** Payload received from clients and sent to them, bytes. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Objects sealed on chain. */
  readonly seals: number;
  /** Errors by code. */
  readonly errors: Readonly<Record<string, number>>;
}

/** What was added in each of the last 60 minutes, oldest first; the last minute is the current one, still incomplete. */
export interface LastHour {
  /** When the first minute began, unix ms; always a full minute. */
  readonly since: number;
  readonly uploads: number[];
  readonly bytesIn: number[];
  readonly bytesOut: number[];
  readonly seals: number[];
  readonly errors: Readonly<Record<string, number[]>>;
}

const MINUTE_MS = 60_000;
const MINUTES = 60;
const NUMBERS = ['uploads', 'bytesIn', 'bytesOut', 'seals'] as const;

/** The last hour minute by minute, from sums that are sampled once a minute. */
export class MinuteSeries {
  readonly #totals: () => Totals;
  readonly #byMinute = new Map<number, Totals>();
  #last: Totals;
  #minute: number;

  constructor(totals: () => Totals, now = Date.now()) {
    this.#totals = totals;
    this.#last = totals();
    this.#minute = Math.floor(now / MINUTE_MS);
  }

  /** Books what was added since the last sample under the minute of the last sample. @param now unix ms */
  sample(now = Date.now()): void {
    const totals = this.#totals();
    const added = sum(this.#byMinute.get(this.#minute), difference(totals, this.#last));
    this.#byMinute.set(this.#minute, added);
    this.#last = totals;
    this.#minute = Math.floor(now / MINUTE_MS);
    for (const minute of this.#byMinute.keys()) {
      if (minute <= this.#minute - MINUTES) this.#byMinute.delete(minute);
    }
  }

  report(now = Date.now()): LastHour {
    this.sample(now);
    const first = this.#minute - MINUTES + 1;
    const minutes = Array.from({ length: MINUTES }, (_, i) => this.#byMinute.get(first + i));
    const codes = new Set(minutes.flatMap((minute) => Object.keys(minute?.errors ?? {})));
    const series = (value: (minute: Totals) => number) =>
      minutes.map((minute) => (minute ? value(minute) : 0));
    return {
      since: first * MINUTE_MS,
      uploads: series(({ uploads }) => uploads),
      bytesIn: series(({ bytesIn }) => bytesIn),
      bytesOut: series(({ bytesOut }) => bytesOut),
      seals: series(({ seals }) => seals),
      errors: Object.fromEntries([...codes].map((code) => [code, series(({ errors }) => errors[code] ?? 0)])),
    };
  }

  /** Samples at the end of every minute, until it is stopped. */
  run(): { stop(): void } {
    let timer: NodeJS.Timeout;
    const next = () => {
      timer = setTimeout(
        () => {
          this.sample();
          next();
        },
        MINUTE_MS - (Date.now() % MINUTE_MS),
      ).unref();
    };
    next();
    return { stop: () => clearTimeout(timer) };
  }
}

function difference(now: Totals, before: Totals): Totals {
  const errors = Object.entries(now.errors).map(
    ([code, count]) => [code, count - (before.errors[code] ?? 0)] as const,
  );
  return {
    ...numbers((name) => now[name] - before[name]),
    errors: Object.fromEntries(errors.filter(([, count]) => count > 0)),
  };
}

function sum(a: Totals | undefined, b: Totals): Totals {
  if (!a) return b;
  const errors = { ...a.errors };
  for (const [code, count] of Object.entries(b.errors)) errors[code] = (errors[code] ?? 0) + count;
  return { ...numbers((name) => a[name] + b[name]), errors };
}

function numbers(value: (name: (typeof NUMBERS)[number]) => number): Omit<Totals, 'errors'> {
  const [uploads = 0, bytesIn = 0, bytesOut = 0, seals = 0] = NUMBERS.map(value);
  return { uploads, bytesIn, bytesOut, seals };
}
