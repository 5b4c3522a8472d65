import { patiently, timed } from '../load.ts';
import type { BenchNetwork } from '../network.ts';
import { announce, type BenchObject, put } from '../objects.ts';
import { startReaders } from '../readers.ts';
import type { Measurements, Scenario, ScenarioContext } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';
import { median, quantile } from '../statistics.ts';

/** Reading a large object, whole and a small range of it; and uploading beside many readers. */
export const reads: Scenario<'bytes' | 'range' | 'ranges' | 'readers' | 'puts' | 'largePuts'> = {
  name: 'reads',
  title: 'GET of a large object, and of a range of it; PUTs beside many readers',
  figures: [
    {
      name: 'whole',
      title: 'GET of the whole',
      unit: 'MB/s',
      better: 'more',
      floor: 'raw get',
      wanted: { ratio: { atLeast: 0.8 } },
    },
    {
      name: 'first-byte',
      title: 'GET of a range, to the first byte',
      unit: 'ms',
      better: 'less',
      floor: 'raw get',
      wanted: { value: { atMost: 20 } },
    },
    { name: 'range', title: 'GET of a range', unit: 'ms', better: 'less', floor: 'raw get' },
    {
      name: 'put-beside',
      title: 'PUT of 64 KiB, median, beside readers of 5 MiB',
      unit: 'ms',
      better: 'less',
      floor: 'none reads',
    },
    {
      name: 'put-beside-p99',
      title: '– 99 of 100 within',
      unit: 'ms',
      better: 'less',
      floor: 'none reads',
    },
    {
      name: 'large-put-beside',
      title: 'PUT of 16 MiB, median, beside the same',
      unit: 'ms',
      better: 'less',
      floor: 'none reads',
    },
  ],
  sizes: {
    bytes: { full: 2 ** 30, quick: 2 ** 26 },
    range: { full: 2 ** 20, quick: 2 ** 20 },
    ranges: { full: 15, quick: 5 },
    readers: { full: 500, quick: 50 },
    puts: { full: 30, quick: 5 },
    largePuts: { full: 5, quick: 2 },
  },
  runs: { full: 3, quick: 1 },
  on: 'network',
  async run({ network, sizes, signal }) {
    const [object] = await announce(network, { count: 1, size: sizes.bytes }, signal);
    if (!object) return {};
    await untilSealed(network, [object], signal, () => put(network, object, signal));
    const { raw } = network;
    await raw.put('whole', object.bytes());
    const floor = await timed(() => raw.read('whole'));
    await raw.delete('whole');
    const whole = await timed(() => read(network, object, signal));
    await raw.put('range', [new Uint8Array(sizes.range)]);
    const [rawFirst, rawTotal, first, total]: number[][] = [[], [], [], []];
    for (let i = 0; i < sizes.ranges; i += 1) {
      const from = Math.floor(((i + 0.5) / sizes.ranges) * (sizes.bytes - sizes.range));
      const range = { from, to: from + sizes.range - 1 };
      rawTotal?.push(await timed(async () => rawFirst?.push(await raw.read('range'))));
      total?.push(await timed(async () => first?.push(await read(network, object, signal, range))));
    }
    await raw.delete('range');
    const rate = (ms: number) => sizes.bytes / 1_000 / ms;
    return {
      whole: { value: rate(whole), floor: rate(floor) },
      'first-byte': { value: median(first ?? []), floor: median(rawFirst ?? []) },
      range: { value: median(total ?? []), floor: median(rawTotal ?? []) },
      ...(await besideReaders(network, sizes, signal)),
    };
  },
};

/** Bytes. */
const [READ, SMALL, LARGE] = [5 * 2 ** 20, 64 * 2 ** 10, 16 * 2 ** 20];

/** How long PUTs take, one after the other, while nobody reads and while many do. */
async function besideReaders(
  network: BenchNetwork,
  { readers: count, puts, largePuts }: ScenarioContext<'readers' | 'puts' | 'largePuts'>['sizes'],
  signal: AbortSignal,
): Promise<Measurements> {
  if (count === 0 || new URL(network.primary.endpoint).protocol !== 'http:') return {};
  const [read] = await announce(network, { count: 1, size: READ, visibility: 'PUBLIC_READ' }, signal);
  if (!read) return {};
  await untilSealed(network, [read], signal, () => put(network, read, signal));
  const measured = async () => {
    const times: Record<'small' | 'large', number[]> = { small: [], large: [] };
    const small = await announce(network, { count: puts, size: SMALL }, signal);
    const large = await announce(network, { count: largePuts, size: LARGE }, signal);
    for (const [objects, kind] of [
      [small, 'small'],
      [large, 'large'],
    ] as const) {
      for (const object of objects) {
        // Sealed before the next one, or background work would be measured too.
        await untilSealed(network, [object], signal, async () => {
          times[kind].push(await timed(() => patiently(() => put(network, object, signal), signal)));
        });
      }
    }
    return times;
  };
  const alone = await measured();
  const readers = await startReaders(network, read, count, signal);
  const beside = await measured();
  const { answers, failures } = await readers.stop();
  if (failures > 0 || answers < count) throw new Error(`${failures} of ${answers + failures} reads failed`);
  const figure = (kind: 'small' | 'large', share: number) => ({
    value: quantile(beside[kind], share),
    floor: quantile(alone[kind], share),
  });
  return {
    'put-beside': figure('small', 0.5),
    'put-beside-p99': figure('small', 0.99),
    'large-put-beside': figure('large', 0.5),
  };
}

/** @returns ms to the first byte */
async function read(
  network: BenchNetwork,
  object: BenchObject,
  signal: AbortSignal,
  range?: { readonly from: number; readonly to: number },
): Promise<number> {
  const begin = performance.now();
  let first = Number.NaN;
  const bytes = await network.client.get(object, { signal, ...(range && { range }) });
  for await (const _ of bytes) if (Number.isNaN(first)) first = performance.now() - begin;
  return first;
}
