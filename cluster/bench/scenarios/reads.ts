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
      wanted: { ratio: { atMost: 1.5 } },
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
    {
      name: 'put-beside-slow',
      title: 'PUT of 64 KiB, median, beside as many readers over lines of 1 Mbit/s',
      unit: 'ms',
      better: 'less',
      floor: 'none reads',
      wanted: { ratio: { atMost: 1.2 } },
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

/** Bytes per second of a line of 1 Mbit/s. */
const SLOW = 125_000;
/** Bytes. */
const [READ, SMALL, LARGE] = [5 * 2 ** 20, 64 * 2 ** 10, 16 * 2 ** 20];

/** How long PUTs take, one after the other, while nobody reads and while many do. */
async function besideReaders(
  network: BenchNetwork,
  sizes: ScenarioContext<'readers' | 'puts' | 'largePuts'>['sizes'],
  signal: AbortSignal,
): Promise<Measurements> {
  if (sizes.readers === 0 || new URL(network.primary.endpoint).protocol !== 'http:') return {};
  const [read] = await announce(network, { count: 1, size: READ, visibility: 'PUBLIC_READ' }, signal);
  if (!read) return {};
  await untilSealed(network, [read], signal, () => put(network, read, signal));
  const puts = async (size: number, times: number) => {
    const found: number[] = [];
    for (const object of await announce(network, { count: times, size }, signal)) {
      // Sealed before the next one, or background work would be measured too.
      await untilSealed(network, [object], signal, async () => {
        found.push(await timed(() => patiently(() => put(network, object, signal), signal)));
      });
    }
    return found;
  };
  const beside = async <T>(bytesPerSecond: number, task: () => Promise<T>): Promise<T> => {
    const readers = await startReaders(network, read, { count: sizes.readers, bytesPerSecond }, signal);
    const found = await task();
    const { answers, failures } = await readers.stop();
    const all = answers + failures;
    if (failures > 0 || answers < sizes.readers) throw new Error(`${failures} of ${all} reads failed`);
    return found;
  };
  const both = async () => ({
    small: await puts(SMALL, sizes.puts),
    large: await puts(LARGE, sizes.largePuts),
  });
  const alone = await both();
  const slow = await beside(SLOW, () => puts(SMALL, sizes.puts));
  const { small, large } = await beside(0, both);
  return {
    'put-beside': { value: median(small), floor: median(alone.small) },
    'put-beside-p99': { value: quantile(small, 0.99), floor: quantile(alone.small, 0.99) },
    'large-put-beside': { value: median(large), floor: median(alone.large) },
    'put-beside-slow': { value: median(slow), floor: median(alone.small) },
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
