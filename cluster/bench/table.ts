import type { Bound, Figure, Unit, Wanted } from './figures.ts';

/** Lines of a table in Markdown, which is readable as plain text too. The first row is the head. */
export function markdownTable(rows: readonly (readonly string[])[]): readonly string[] {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [line(head), rule, ...rows.slice(1).map(line)];
}

/** The table of a bench: each figure with its floor and its target. */
export function figureTable(figures: readonly Figure[]): readonly string[] {
  const rows = figures.map((figure) => [
    figure.name,
    figure.title,
    amount(figure.value, figure.unit) + spread(figure),
    figure.floor ? `${amount(figure.floor.value, figure.unit)} (${figure.floor.title})` : '',
    figure.floor ? `${rounded(figure.floor.ratio)} ×` : '',
    figure.wanted ? `${wantedText(figure.wanted, figure.unit)} ${figure.wanted.reached ? '✔' : '✘'}` : '',
  ]);
  return markdownTable([['figure', 'what', 'measured', 'beside', 'ratio', 'wanted'], ...rows]);
}

/** A value with its unit and three digits, for example `12.3 MB/s`. */
export function amount(value: number, unit: Unit): string {
  return `${rounded(value)}${unit === '' ? '' : ` ${unit}`}`;
}

/** Three significant digits, without an exponent. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0 || Math.abs(value) >= 100) return value.toFixed(0);
  return value.toFixed(Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))));
}

function spread({ runs, lowest, highest }: Figure): string {
  return runs > 1 ? ` (${rounded(lowest)}–${rounded(highest)})` : '';
}

function wantedText({ value, ratio }: Wanted, unit: Unit): string {
  const parts = [value && `${bound(value)} ${unit}`.trimEnd(), ratio && `${bound(ratio)} ×`];
  return parts.filter(Boolean).join(', ');
}

function bound(of: Bound): string {
  return 'atLeast' in of ? `≥ ${rounded(of.atLeast)}` : `≤ ${rounded(of.atMost)}`;
}
