import type { Figure, FigureKind, Measurement } from './figures.ts';
import type { BenchNetwork, NetworkSettings } from './network.ts';

/** One thing that the bench measures, by itself on a network that does nothing else. */
export interface Scenario<Size extends string = string> {
  readonly name: string;
  readonly title: string;
  readonly figures: readonly FigureKind[];
  /** How much of everything, by name; `--set <scenario>.<name>=<value>` changes one. */
  readonly sizes: Readonly<Record<Size, { readonly full: number; readonly quick: number }>>;
  /** How often it is run unless `--runs` says otherwise. */
  readonly runs: { readonly full: number; readonly quick: number };
  /** Networks of its own have settings of their own; `nothing` is for a part by itself. */
  readonly on: 'network' | 'own networks' | 'nothing';
  run(context: ScenarioContext<Size>): Promise<Measurements>;
}

/** By the name of the figure. A figure that cannot be measured on this network is left out. */
export type Measurements = Readonly<Record<string, Measurement>>;

export interface ScenarioContext<Size extends string = string> {
  readonly sizes: Readonly<Record<Size, number>>;
  /** For a scenario on `network`. */
  readonly network: BenchNetwork;
  /** Starts a network for this run, which is stopped after it. */
  readonly start: (options: NetworkSettings) => Promise<BenchNetwork>;
  /** What scenarios before this one have measured. */
  readonly figures: readonly Figure[];
  /** Shows lines beside the table of figures. */
  readonly say: (lines: readonly string[]) => void;
  readonly signal: AbortSignal;
}
