import type { TreeNode } from '#runtime/actors/types';
import type { InspectPoint, RollCall } from '#runtime/home/home';
import type { KnownNodes } from './known-nodes.ts';
import { type NodeReport, type NodeReports, nodeReport } from './node-report.ts';
import type { Trees } from './trees.ts';

/** The topic on which each node reports on itself. */
export const REPORT = 'report';
/** How long the slowest node may take, ms. */
const LIMIT_MS = 1_500;
/** How often nodes are looked for that nobody waits for, ms; they are remembered for a while. */
const DISCOVER_EVERY_MS = 10_000;
const REMEMBERED_MS = 60_000;
const REMEMBERED = 100;

export interface GatherOptions {
  readonly rollCall: RollCall;
  readonly inspect: InspectPoint;
  readonly known: KnownNodes;
}

/** Asks all nodes; those that are known and do not answer in time are named. */
export class Gatherer {
  readonly #options: GatherOptions;
  /** Nodes that answered although the ledger does not have them: one that was fenced, for example. Monotonic ms. */
  readonly #seen = new Map<string, number>();
  #discoveredAt = Number.NEGATIVE_INFINITY;

  constructor(options: GatherOptions) {
    this.#options = options;
  }

  async reports(signal?: AbortSignal): Promise<NodeReports> {
    const { found, silent } = await this.ask(REPORT, signal);
    const reports: NodeReport[] = [];
    const unreadable: string[] = [];
    for (const [node, value] of found) {
      const report = nodeReport.safeParse(value);
      if (report.success) reports.push(report.data);
      else unreadable.push(node);
    }
    return { reports, silent: [...silent, ...unreadable] };
  }

  async trees(signal?: AbortSignal): Promise<Trees> {
    const nodes = await this.#known(signal);
    const trees: readonly TreeNode[] = await this.#options.inspect.read({
      timeoutMs: LIMIT_MS,
      ...(nodes.length > 0 && { nodes }),
      ...(signal && { signal }),
    });
    return { trees, silent: missing(nodes, new Set(trees.map(({ name }) => name))) };
  }

  /** The answers of all nodes to a topic, in the order of their names. @throws Retryable `nats-unavailable` */
  async ask(
    topic: string,
    signal?: AbortSignal,
  ): Promise<{ readonly found: ReadonlyMap<string, unknown>; readonly silent: readonly string[] }> {
    const nodes = await this.#known(signal);
    const answers = await this.#options.rollCall.ask(topic, {
      timeoutMs: LIMIT_MS,
      ...(nodes.length > 0 && { nodes }),
      ...(signal && { signal }),
    });
    this.#discover(nodes);
    const found = new Map([...answers].sort(([a], [b]) => (a < b ? -1 : 1)));
    return { found, silent: missing(nodes, new Set(found.keys())) };
  }

  /** Without the ledger nobody knows who is missing, and those that answer are shown all the same. */
  async #known(signal?: AbortSignal): Promise<readonly string[]> {
    const names = await this.#options.known.names(signal).catch(() => []);
    const since = performance.now() - REMEMBERED_MS;
    const seen = [...this.#seen].filter(([, at]) => at > since).map(([name]) => name);
    return [...new Set([...names, ...seen])];
  }

  /** Waits in the background for the answers of nodes that are not known. */
  #discover(known: readonly string[]): void {
    if (performance.now() - this.#discoveredAt < DISCOVER_EVERY_MS) return;
    this.#discoveredAt = performance.now();
    const found = this.#options.rollCall.ask(REPORT, { timeoutMs: LIMIT_MS });
    found.then(
      (answers) => {
        for (const name of answers.keys()) {
          const isNew = this.#seen.delete(name) || !known.includes(name);
          if (isNew && this.#seen.size < REMEMBERED) this.#seen.set(name, performance.now());
        }
      },
      () => undefined,
    );
  }
}

function missing(nodes: readonly string[], found: ReadonlySet<string>): readonly string[] {
  return nodes.filter((node) => !found.has(node)).sort();
}
