import { median } from './statistics.ts';

/** A figure that a scenario measures, and what it is held against. */
export interface FigureKind {
  /** Below the scenario's name, for example `acks`. */
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  readonly better: 'more' | 'less';
  /** What is measured in the same run to compare with, in the same unit. */
  readonly floor?: string;
  readonly wanted?: Wanted;
}

export type Unit = '/s' | 'MB/s' | 'ms' | 's' | 'MB' | '×' | '';

/** All of these must hold; `ratio` is that of the value to its floor. */
export interface Wanted {
  readonly value?: Bound;
  readonly ratio?: Bound;
}

export type Bound = { readonly atLeast: number } | { readonly atMost: number };

/** One run's value, with that of its floor; a floor of 0 is none. */
export interface Measurement {
  readonly value: number;
  readonly floor?: number;
}

/** A figure over all runs. Of floors and ratios the median too: a ratio is always of one run. */
export interface Figure {
  /** `<scenario>.<figure>` */
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  readonly better: 'more' | 'less';
  readonly value: number;
  readonly lowest: number;
  readonly highest: number;
  readonly runs: number;
  readonly floor?: { readonly title: string; readonly value: number; readonly ratio: number };
  readonly wanted?: Wanted & { readonly reached: boolean };
}

/** @throws RangeError for no measurement */
export function summarise(scenario: string, kind: FigureKind, measurements: readonly Measurement[]): Figure {
  if (measurements.length === 0) throw new RangeError(`${scenario}.${kind.name} was not measured`);
  const values = measurements.map(({ value }) => value);
  const value = median(values);
  const floors = measurements.flatMap(({ value, floor }) => (floor ? [{ value, floor }] : []));
  const floor = kind.floor !== undefined &&
    floors.length > 0 && {
      title: kind.floor,
      value: median(floors.map(({ floor }) => floor)),
      ratio: median(floors.map(({ value, floor }) => value / floor)),
    };
  const { wanted } = kind;
  return {
    name: `${scenario}.${kind.name}`,
    title: kind.title,
    unit: kind.unit,
    better: kind.better,
    value,
    lowest: Math.min(...values),
    highest: Math.max(...values),
    runs: values.length,
    ...(floor && { floor }),
    ...(wanted && {
      wanted: { ...wanted, reached: isReached(wanted, value, floor ? floor.ratio : undefined) },
    }),
  };
}

function isReached(
  { value: ofValue, ratio: ofRatio }: Wanted,
  value: number,
  ratio: number | undefined,
): boolean {
  const holds = (bound: Bound | undefined, measured: number | undefined) => {
    if (bound === undefined) return true;
    if (measured === undefined) return false;
    return 'atLeast' in bound ? measured >= bound.atLeast : measured <= bound.atMost;
  };
  return holds(ofValue, value) && holds(ofRatio, ratio);
}
