import { patiently, timed } from '../load.ts';
import { announce, put } from '../objects.ts';
import type { Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';

/** Whether concurrent uploads get equal shares. */
export const fairness: Scenario<'objects' | 'bytes'> = {
  name: 'fairness',
  title: 'equal uploads at once',
  figures: [
    {
      name: 'slowest',
      title: 'to the acknowledgement of the slowest',
      unit: 's',
      better: 'less',
      floor: 'fastest',
      wanted: { ratio: { atMost: 1.5 } },
    },
  ],
  sizes: { objects: { full: 16, quick: 16 }, bytes: { full: 2 ** 26, quick: 2 ** 22 } },
  runs: { full: 3, quick: 1 },
  on: 'network',
  async run({ network, sizes, signal }) {
    const objects = await announce(network, { count: sizes.objects, size: sizes.bytes }, signal);
    let times: readonly number[] = [];
    await untilSealed(network, objects, signal, async () => {
      times = await Promise.all(
        objects.map((object) => timed(() => patiently(() => put(network, object, signal), signal))),
      );
    });
    return { slowest: { value: Math.max(...times) / 1_000, floor: Math.min(...times) / 1_000 } };
  },
};
