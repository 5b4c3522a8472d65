import type { Figure, FigureKind, Measurement } from './figures.ts';
import type { BenchNetwork, NetworkSettings } from './network.ts';

/** One measurement of the bench. No other one runs on the network at the same time. */
export interface Scenario<Size extends string = string> {
  readonly name: string;
  readonly title: string;
  readonly figures: readonly FigureKind[];
  /** Amounts by name; `--set <scenario>.<name>=<value>` changes one. */
  readonly sizes: Readonly<Record<Size, { readonly full: number; readonly quick: number }>>;
  /** Default number of runs; `--runs` changes it. */
  readonly runs: { readonly full: number; readonly quick: number };
  /** `own networks`: the scenario starts networks with special settings. `nothing`: it needs none. */
  readonly on: 'network' | 'own networks' | 'nothing';
  run(context: ScenarioContext<Size>): Promise<Measurements>;
}

/** By the name of the figure. Figures that cannot be measured on this network are omitted. */
export type Measurements = Readonly<Record<string, Measurement>>;

export interface ScenarioContext<Size extends string = string> {
  readonly sizes: Readonly<Record<Size, number>>;
  /** The network of a scenario on `network`. */
  readonly network: BenchNetwork;
  /** Starts a network for this run; it is stopped at the end of the run. */
  readonly start: (options: NetworkSettings) => Promise<BenchNetwork>;
  /** Results of the previous scenarios. */
  readonly figures: readonly Figure[];
  /** Prints lines in addition to the table of figures. */
  readonly say: (lines: readonly string[]) => void;
  readonly signal: AbortSignal;
}
