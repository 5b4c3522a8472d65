import type { Figure } from './figures.ts';
import type { EarlierReport } from './report.ts';
import { markdownTable, rounded } from './table.ts';

/** Change of a figure since an earlier report. */
export interface Change {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly before: number;
  readonly after: number;
  /** Above 1 for an improvement, below 1 for a loss: 2 means twice as fast or half as long. */
  readonly gain: number;
  /** The gain of the ratio to the floor, which does not depend on the speed of the machine. */
  readonly gainOverFloor?: number;
}

/** Compares the figures of both reports. If one value is 0, the gain is NaN; if both are, it is 1. */
export function compare(before: Pick<EarlierReport, 'figures'>, after: readonly Figure[]): readonly Change[] {
  return after.flatMap((figure) => {
    const earlier = before.figures.find(({ name }) => name === figure.name);
    if (!earlier) return [];
    const gain = (from: number, to: number) => gainOf(from, to, figure.better);
    return {
      name: figure.name,
      title: figure.title,
      unit: figure.unit,
      before: earlier.value,
      after: figure.value,
      gain: gain(earlier.value, figure.value),
      ...(earlier.floor && figure.floor && { gainOverFloor: gain(earlier.floor.ratio, figure.floor.ratio) }),
    };
  });
}

/** The losses of more than a share, for example 0.1; of the ratio to the floor if there is one. */
export function losses(changes: readonly Change[], share: number): readonly Change[] {
  return changes.filter(({ gain, gainOverFloor = gain }) => gainOverFloor < 1 - share);
}

export function comparisonTable(changes: readonly Change[]): readonly string[] {
  const rows = changes.map(({ name, title, unit, before, after, gain, gainOverFloor }) => [
    name,
    title,
    `${rounded(before)} ${unit}`,
    `${rounded(after)} ${unit}`,
    `${rounded(gain)} ×`,
    gainOverFloor === undefined ? '' : `${rounded(gainOverFloor)} ×`,
  ]);
  return markdownTable([['figure', 'what', 'before', 'after', 'better by', 'beside its floor'], ...rows]);
}

function gainOf(before: number, after: number, better: 'more' | 'less'): number {
  if (before === after) return 1;
  if (before === 0 || after === 0) return Number.NaN;
  return better === 'more' ? after / before : before / after;
}
