import type { Figure } from './figures.ts';
import type { EarlierReport } from './report.ts';
import { markdownTable, rounded } from './table.ts';

/** How a figure has changed since an earlier report. */
export interface Change {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly before: number;
  readonly after: number;
  /** Above 1 it has become better, below 1 worse: 2 is twice as fast or half as long. */
  readonly gain: number;
  /** The same of the ratios to the floors, which takes the speed of the machine out. */
  readonly gainOverFloor?: number;
}

/** The figures that both reports have. One that was or is 0 has no ratio: its gain is 1 where both are, else NaN. */
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

/** The changes for the worse by more than a share, for example 0.1; by their floors where they have one. */
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
