import { inParallel, patiently, timed } from '../load.ts';
import { announce, put } from '../objects.ts';
import type { Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';

/** Uploads of some megabytes that all begin at once, as a user of an application may start them. */
export const burst: Scenario<'objects' | 'bytes'> = {
  name: 'burst',
  title: 'some uploads that all begin at once',
  figures: [
    {
      name: 'acked',
      title: 'until the last is acknowledged',
      unit: 's',
      better: 'less',
      floor: 'raw puts',
      wanted: { ratio: { atMost: 4 } },
    },
    {
      name: 'sealed',
      title: 'until the last is sealed',
      unit: 's',
      better: 'less',
      floor: 'raw puts',
      wanted: { ratio: { atMost: 12 } },
    },
  ],
  sizes: { objects: { full: 25, quick: 25 }, bytes: { full: 2_000_000, quick: 2_000_000 } },
  runs: { full: 5, quick: 1 },
  on: 'network',
  async run({ network, sizes, signal }) {
    const objects = await announce(network, { count: sizes.objects, size: sizes.bytes }, signal);
    const floor = await timed(() =>
      inParallel(objects, objects.length, ({ objectName, bytes }) => network.raw.put(objectName, bytes())),
    );
    for (const { objectName } of objects) await network.raw.delete(objectName);
    const begin = performance.now();
    let acked = Number.NaN;
    const sealedAt = await untilSealed(network, objects, signal, async () => {
      await inParallel(objects, objects.length, async (object) => {
        await patiently(() => put(network, object, signal), signal);
      });
      acked = performance.now() - begin;
    });
    return {
      acked: { value: acked / 1_000, floor: floor / 1_000 },
      sealed: { value: (sealedAt - begin) / 1_000, floor: floor / 1_000 },
    };
  },
};
