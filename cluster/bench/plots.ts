import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figure } from './figures.ts';
import { lineChart, type Series } from './line-chart.ts';
import { COST_SIZES } from './scenarios/cost.ts';
import { CLIENTS } from './scenarios/load.ts';

/** Writes SVG plots of a report's figures into a folder. Omits those whose figures are missing. @returns their paths */
export async function writePlots(folder: string, figures: readonly Figure[]): Promise<readonly string[]> {
  const value = (name: string) => figures.find((figure) => figure.name === name);
  const series = (
    name: string,
    points: readonly (readonly [x: number, figure: Figure | undefined])[],
    of: (figure: Figure) => number | undefined = (figure) => figure.value,
  ): Series => ({
    name,
    points: points.flatMap(([x, figure]) => {
      const y = figure && of(figure);
      return y ? [[x, y] as const] : [];
    }),
  });
  const bySize = (figure: string) =>
    COST_SIZES.map(({ name, bytes }) => [bytes, value(`cost.${figure}-${name}`)] as const);
  const byClients = (figure: string) =>
    CLIENTS.map((clients) => [clients, value(`load.${figure}-${clients}`)] as const);
  const inMs = ({ value }: Figure) => 1_000 * value;
  const charts = {
    'cost.svg': lineChart({
      title: 'What one object costs, by its size',
      x: { title: 'bytes of the object', label: sizeLabel },
      y: { title: 'ms', label: String },
      series: [
        series('CPU of all processes', bySize('cpu')),
        series('until it is sealed', bySize('sealed'), inMs),
        series('until it is acknowledged', bySize('acked'), inMs),
        series('raw put', bySize('acked'), ({ floor }) => floor && 1_000 * floor.value),
      ],
    }),
    'load.svg': lineChart({
      title: 'How long a PUT of 64 KiB takes, by the number of clients',
      x: { title: 'clients at a time', label: String },
      y: { title: 'ms', label: String },
      series: [
        series('99 of 100 PUTs', byClients('p99')),
        series('median PUT', byClients('p50')),
        series('raw put, median', byClients('p50'), ({ floor }) => floor?.value),
      ],
    }),
  };
  await mkdir(folder, { recursive: true });
  const written: string[] = [];
  for (const [name, svg] of Object.entries(charts)) {
    if (svg === undefined) continue;
    await writeFile(join(folder, name), svg);
    written.push(join(folder, name));
  }
  return written;
}

function sizeLabel(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const step = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${bytes / 2 ** (10 * step)} ${units[step]}`;
}
