export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export interface Axis {
  readonly title: string;
  readonly label: (value: number) => string;
}

/** A line of the chart; all values are above 0. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const [WIDTH, HEIGHT] = [720, 420];
const FRAME = { left: 70, right: 190, top: 44, bottom: 56 };
const COLOURS = ['#0b6bcb', '#c2410c', '#15803d', '#6b7280', '#7c3aed'];
const FONT = 'font-family="sans-serif" font-size="12"';

/** An SVG of lines on logarithmic axes, with ticks at each x and each power of ten of y. Undefined without points. */
export function lineChart({ title, x, y, series }: Chart): string | undefined {
  const lines = series.filter(({ points }) => points.length > 0);
  const points = lines.flatMap((line) => line.points);
  if (points.length === 0) return undefined;
  const xs = [...new Set(points.map(([at]) => at))].sort((a, b) => a - b);
  const ys = points.map(([, at]) => at);
  const low = Math.floor(Math.log10(Math.min(...ys)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...ys))));
  const first = Math.log(xs[0] ?? 1);
  const span = Math.log(xs.at(-1) ?? 1) - first || 1;
  const [right, bottom] = [WIDTH - FRAME.right, HEIGHT - FRAME.bottom];
  const toX = (value: number) => FRAME.left + ((Math.log(value) - first) / span) * (right - FRAME.left);
  const toY = (value: number) => bottom - ((Math.log10(value) - low) / (high - low)) * (bottom - FRAME.top);
  const tenfolds = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  const parts = [
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(FRAME.left, 24, title, 'font-weight="bold"'),
    ...tenfolds.flatMap((value) => [
      `<path d="M${FRAME.left} ${at(toY(value))}H${right}" stroke="#e5e7eb"/>`,
      text(FRAME.left - 8, toY(value) + 4, y.label(value), 'text-anchor="end"'),
    ]),
    ...xs.map((value) => text(toX(value), bottom + 18, x.label(value), 'text-anchor="middle"')),
    text((FRAME.left + right) / 2, HEIGHT - 14, x.title, 'text-anchor="middle"'),
    text(FRAME.left - 8, FRAME.top - 6, y.title, 'text-anchor="end"'),
    `<path d="M${FRAME.left} ${FRAME.top}V${bottom}H${right}" fill="none" stroke="#374151"/>`,
    ...lines.flatMap((line, i) => drawn(line, COLOURS[i % COLOURS.length] ?? 'black', toX, toY)),
    ...lines.flatMap(({ name }, i) => [
      `<path d="M${right + 14} ${FRAME.top + 8 + 20 * i}h18" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="2"/>`,
      text(right + 38, FRAME.top + 12 + 20 * i, name),
    ]),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ${FONT}>\n<title>${escaped(title)}</title>\n${parts.join('\n')}\n</svg>\n`;
}

function drawn(
  { points }: Series,
  colour: string,
  toX: (value: number) => number,
  toY: (value: number) => number,
): readonly string[] {
  const places = points.map(([x, y]) => `${at(toX(x))} ${at(toY(y))}`);
  return [
    `<path d="M${places.join('L')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...points.map(([x, y]) => `<circle cx="${at(toX(x))}" cy="${at(toY(y))}" r="3" fill="${colour}"/>`),
  ];
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${at(x)}" y="${at(y)}" fill="#374151" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
}

function at(place: number): string {
  return place.toFixed(1);
}
