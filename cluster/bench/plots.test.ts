import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test from 'ava';
import { XMLParser } from 'fast-xml-parser';
import { summarise } from './figures.ts';
import { lineChart } from './line-chart.ts';
import { writePlots } from './plots.ts';

const AXIS = { title: 'bytes', label: String };

test('a chart has a line for each series that has points, inside its frame', (t) => {
  const svg = lineChart({
    title: 'a < b',
    x: AXIS,
    y: AXIS,
    series: [
      {
        name: 'one',
        points: [
          [1, 10],
          [2, 100],
          [4, 1_000],
        ],
      },
      { name: 'none', points: [] },
    ],
  });
  const document = new XMLParser({ ignoreAttributes: false }).parse(svg ?? '');
  t.is(document.svg.circle.length, 3);
  t.is(document.svg.circle[0]['@_cy'], '364.0');
  t.is(document.svg.circle[2]['@_cy'], '44.0');
  t.false(svg?.includes('none</text>'));
});

test('there is no chart without points, and one of a single point', (t) => {
  t.is(lineChart({ title: '', x: AXIS, y: AXIS, series: [] }), undefined);
  const svg = lineChart({ title: '', x: AXIS, y: AXIS, series: [{ name: 'one', points: [[5, 5]] }] });
  t.false(/NaN|Infinity/.test(svg ?? 'NaN'));
});

test('only measured figures are drawn', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-plots-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const kind = { title: '', unit: 'ms', better: 'less', floor: 'raw' } as const;
  const figures = [1, 2].map((clients) =>
    summarise('load', { ...kind, name: `p50-${clients}` }, [{ value: 10, floor: 5 }]),
  );
  const written = await writePlots(folder, figures);
  t.deepEqual(
    written.map((path) => basename(path)),
    ['load.svg'],
  );
  const svg = await readFile(written[0] ?? '', 'utf8');
  t.regex(svg, /median PUT/);
  t.regex(svg, /raw put, median/);
  t.notRegex(svg, /99 of 100/);
});
