import { timed } from '../load.ts';
import type { BenchNetwork } from '../network.ts';
import { announce, type BenchObject, put } from '../objects.ts';
import type { Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';
import { median } from '../statistics.ts';

/** Reading a large object, whole and a small range of it. */
export const reads: Scenario<'bytes' | 'range' | 'ranges'> = {
  name: 'reads',
  title: 'GET of a large object, and of a range of it',
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
  ],
  sizes: {
    bytes: { full: 2 ** 30, quick: 2 ** 26 },
    range: { full: 2 ** 20, quick: 2 ** 20 },
    ranges: { full: 15, quick: 5 },
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
    };
  },
};

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
