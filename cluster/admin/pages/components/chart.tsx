import { count, size } from '../../../cli/units.ts';

const WIDTH = 240;
const HEIGHT = 40;

/** A small time series, oldest value first, with its extremes in words for those who do not see it. */
export function Sparkline({
  values,
  label,
  format = String,
}: {
  readonly values: readonly number[];
  readonly label: string;
  readonly format?: (value: number) => string;
}) {
  const highest = Math.max(0, ...values);
  const step = values.length > 1 ? WIDTH / (values.length - 1) : 0;
  const points = values
    .map((value, i) => `${round(i * step)},${round(HEIGHT - (highest > 0 ? value / highest : 0) * HEIGHT)}`)
    .join(' ');
  const text = `${label}: ${count(values.length, 'value')}, highest ${format(highest)}, last ${format(values.at(-1) ?? 0)}`;
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={text}
    >
      <polygon points={`0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`} />
      <polyline points={points} />
    </svg>
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** How much of something is done. */
export function Progress({
  done,
  total,
  text,
}: {
  readonly done: number;
  readonly total: number;
  readonly text: string;
}) {
  return (
    <>
      <progress value={String(done)} max={String(Math.max(1, total))} aria-label={text} /> {text}
    </>
  );
}

/** How far the work of an actor is, as its line says. @param unit `bytes`, or what is counted */
export function AmountDone({
  done,
  total,
  unit,
}: {
  readonly done: number;
  readonly total: number;
  readonly unit: string;
}) {
  const text = unit === 'bytes' ? `${size(done)} of ${size(total)}` : `${done} of ${total} ${unit}`;
  return <Progress done={done} total={total} text={text} />;
}
