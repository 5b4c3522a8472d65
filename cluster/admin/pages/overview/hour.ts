import type { LastHour, NodeReport } from '../../view/node-report.ts';

type Series = 'uploads' | 'bytesIn' | 'bytesOut' | 'seals';

const MINUTE_MS = 60_000;

/** The last hour of some nodes together, minute by minute. */
export function together(reports: readonly NodeReport[], series: Series): readonly number[] {
  return added(reports.map(({ lastHour }) => lastHour[series]));
}

export interface CodeCount {
  readonly code: string;
  readonly minutes: readonly number[];
  readonly count: number;
}

/** Errors of the last hour by code, the most frequent first. */
export function errorsByCode(reports: readonly NodeReport[]): readonly CodeCount[] {
  const codes = new Set(reports.flatMap(({ lastHour }) => Object.keys(lastHour.errors)));
  return [...codes]
    .map((code) => {
      const minutes = added(reports.map(({ lastHour }) => lastHour.errors[code] ?? []));
      return { code, minutes, count: minutes.reduce((sum, one) => sum + one, 0) };
    })
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
}

/**
 * How much there is of something per second, over the current minute and the one before.
 * @param now unix ms
 */
export function perSecond(minutes: readonly number[], since: LastHour['since'], now: number): number {
  const begin = since + (minutes.length - 1) * MINUTE_MS;
  const seconds = (Math.min(Math.max(now - begin, 0), MINUTE_MS) + MINUTE_MS) / 1_000;
  return ((minutes.at(-1) ?? 0) + (minutes.at(-2) ?? 0)) / seconds;
}

/** Aligned by their last values. */
function added(series: readonly (readonly number[])[]): readonly number[] {
  const length = Math.max(0, ...series.map((one) => one.length));
  return Array.from({ length }, (_, i) =>
    series.reduce((sum, one) => sum + (one[i - (length - one.length)] ?? 0), 0),
  );
}
