import { median } from './statistics.ts';

/** A figure that a scenario measures, its floor and its target. */
export interface FigureKind {
  /** Name within the scenario, for example `acks`. */
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  readonly better: 'more' | 'less';
  /** Description of the floor: a value in the same unit, measured in the same run for comparison. */
  readonly floor?: string;
  readonly wanted?: Wanted;
}

export type Unit = '/s' | 'MB/s' | 'ms' | 's' | 'MB' | '×' | '';

/** A target: all of its bounds must hold. `ratio` is the value divided by its floor. */
export interface Wanted {
  readonly value?: Bound;
  readonly ratio?: Bound;
}

export type Bound = { readonly atLeast: number } | { readonly atMost: number };

/** Values of one run; a floor of 0 counts as absent. */
export interface Measurement {
  readonly value: number;
  readonly floor?: number;
}

/** Medians of a figure over all runs. Each ratio is of a value and a floor of the same run. */
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

/** Takes the medians of all runs. @throws RangeError without measurements */
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
