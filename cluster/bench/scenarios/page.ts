import { patiently, timed } from '../load.ts';
import type { BenchNetwork } from '../network.ts';
import { announce, put } from '../objects.ts';
import { openPages } from '../open-pages.ts';
import type { Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';
import { median, quantile } from '../statistics.ts';

type Sizes = 'puts' | 'bytes' | 'large' | 'rounds';

/** Whether uploads are slower while operators look at the pages of their primary. */
export const page: Scenario<Sizes> = {
  name: 'page',
  title: 'uploads beside open pages of the admin server',
  figures: [
    {
      name: 'put',
      title: 'PUT of 64 KiB, median, beside an open overview and an open tree',
      unit: 'ms',
      better: 'less',
      floor: 'none is open',
      wanted: { ratio: { atMost: 1.1 } },
    },
    { name: 'put-p99', title: '– 99 of 100 within', unit: 'ms', better: 'less', floor: 'none is open' },
    {
      name: 'large',
      title: 'one large upload to the acknowledgement, beside the same',
      unit: 's',
      better: 'less',
      floor: 'none is open',
      wanted: { ratio: { atMost: 1.1 } },
    },
    { name: 'changes', title: 'changes that a page was sent meanwhile, at least', unit: '', better: 'more' },
  ],
  sizes: {
    puts: { full: 20, quick: 5 },
    bytes: { full: 2 ** 16, quick: 2 ** 16 },
    large: { full: 2 ** 28, quick: 2 ** 24 },
    rounds: { full: 6, quick: 2 },
  },
  runs: { full: 1, quick: 1 },
  on: 'network',
  async run({ network, sizes, signal }) {
    const [alone, beside] = [new Times(), new Times()];
    let changes = Number.POSITIVE_INFINITY;
    for (let round = 0; round < sizes.rounds; round += 1) {
      // In turns, so that what else the machine does meets both.
      const order = round % 2 === 0 ? [alone, beside] : [beside, alone];
      for (const times of order) {
        const pages = times === beside ? await openPages(network.admin, PAGES, signal) : undefined;
        await upload(network, sizes, times, signal);
        changes = Math.min(changes, ...((await pages?.close()) ?? []));
      }
    }
    return {
      put: { value: median(beside.small), floor: median(alone.small) },
      'put-p99': { value: quantile(beside.small, 0.99), floor: quantile(alone.small, 0.99) },
      large: { value: median(beside.large) / 1_000, floor: median(alone.large) / 1_000 },
      changes: { value: changes },
    };
  },
};

const PAGES = ['/', '/tree'];

/** ms */
class Times {
  readonly small: number[] = [];
  readonly large: number[] = [];
}

/** Small objects one after the other, then a large one; all are sealed at the end. */
async function upload(
  network: BenchNetwork,
  sizes: Readonly<Record<Sizes, number>>,
  times: Times,
  signal: AbortSignal,
): Promise<void> {
  const small = await announce(network, { count: sizes.puts, size: sizes.bytes }, signal);
  const large = await announce(network, { count: 1, size: sizes.large }, signal);
  for (const [objects, list] of [
    [small, times.small],
    [large, times.large],
  ] as const) {
    await untilSealed(network, objects, signal, async () => {
      for (const object of objects) {
        list.push(await timed(() => patiently(() => put(network, object, signal), signal)));
      }
    });
  }
}
