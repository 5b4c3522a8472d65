import { type Counter, collectDefaultMetrics, Registry as PromRegistry } from 'prom-client';
import { Count, Distribution, Family, Level } from './instruments.ts';

/** Combinations of labels that a family keeps apart by default. */
const FAMILY_LIMIT = 200;

/** Upper bounds of the buckets of durations, seconds: what a client waits for, up to a job of a day. */
export const SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400,
];

/** One line of a metric. */
interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** A gauge whose value is read when it is asked for; undefined while it is unknown. */
export type Reading = () => number | undefined | Promise<number | undefined>;
type Labelled = Iterable<readonly [readonly (string | number)[], number]>;
/** The same for several, with the values of their labels. */
export type Readings = () => Labelled | Promise<Labelled>;

/** Names instruments, and writes all of them as text for Prometheus. Each node has its own. */
export class Registry {
  readonly #registry = new PromRegistry();

  count(name: string, help: string): Count {
    const count = new Count();
    this.#expose(name, help, 'counter', () => [{ value: count.value, labels: {} }]);
    return count;
  }

  counts(name: string, help: string, labels: readonly string[], limit = FAMILY_LIMIT): Family<Count> {
    const family = new Family(() => new Count(), labels, limit);
    this.#expose(name, help, 'counter', () =>
      Array.from(family, ([values, { value }]) => ({ value, labels: labelled(labels, values) })),
    );
    return family;
  }

  level(name: string, help: string): Level {
    const level = new Level();
    this.#expose(name, help, 'gauge', () => [{ value: level.value, labels: {} }]);
    return level;
  }

  distribution(name: string, help: string, bounds: readonly number[] = SECONDS): Distribution {
    const distribution = new Distribution(bounds);
    this.#expose(name, help, 'histogram', () => bucketsOf(name, {}, distribution));
    return distribution;
  }

  distributions(
    name: string,
    help: string,
    labels: readonly string[],
    bounds: readonly number[] = SECONDS,
  ): Family<Distribution> {
    const family = new Family(() => new Distribution(bounds), labels, FAMILY_LIMIT);
    this.#expose(name, help, 'histogram', () =>
      Array.from(family, ([values, distribution]) =>
        bucketsOf(name, labelled(labels, values), distribution),
      ).flat(),
    );
    return family;
  }

  read(name: string, help: string, reading: Reading): void {
    this.#expose(name, help, 'gauge', async () => {
      const value = await reading();
      return value === undefined || !Number.isFinite(value) ? [] : [{ value, labels: {} }];
    });
  }

  readAll(
    name: string,
    help: string,
    labels: readonly string[],
    readings: Readings,
    type: 'gauge' | 'counter' = 'gauge',
  ): void {
    this.#expose(name, help, type, async () =>
      Array.from(await readings(), ([values, value]) => ({
        value,
        labels: labelled(labels, values.map(String)),
      })),
    );
  }

  /** The Prometheus text format, 0.0.4, with the metrics of the process. */
  async text(): Promise<string> {
    return `${await this.#registry.metrics()}\n${await processRegistry().metrics()}`;
  }

  /** Content type of `text`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  #expose(
    name: string,
    help: string,
    type: 'counter' | 'gauge' | 'histogram',
    samples: () => readonly Sample[] | Promise<readonly Sample[]>,
  ): void {
    const get = async () => {
      try {
        return { name, help, type, aggregator: 'sum', values: await samples() };
      } catch {
        // Absent from the text then: the others are of more use than ever when something is broken.
        return { name, help, type, aggregator: 'sum', values: [] };
      }
    };
    // The registry asks of a metric no more than its name and `get`; its type asks for one of the library's classes.
    this.#registry.registerMetric({ name, help, type, get } as unknown as Counter);
  }
}

function labelled(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}

/** The buckets of a histogram as Prometheus wants them: each contains those before it. */
function bucketsOf(name: string, labels: Sample['labels'], distribution: Distribution): Sample[] {
  const { bounds, counts, sum } = distribution;
  let total = 0;
  const buckets = Array.from(counts, (count, i) => {
    total += count;
    return { value: total, labels: { ...labels, le: bounds[i] ?? '+Inf' }, metricName: `${name}_bucket` };
  });
  return [
    ...buckets,
    { value: sum, labels, metricName: `${name}_sum` },
    { value: total, labels, metricName: `${name}_count` },
  ];
}

let ofProcess: PromRegistry | undefined;

/**
 * CPU, memory, garbage collection, event loop and files of this process. They are the same for every node in it, and
 * watching them costs something: so one for all, from the first question on.
 */
function processRegistry(): PromRegistry {
  if (ofProcess) return ofProcess;
  ofProcess = new PromRegistry();
  collectDefaultMetrics({ register: ofProcess, eventLoopMonitoringPrecision: 20 });
  return ofProcess;
}
