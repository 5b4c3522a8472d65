import type { FigureKind } from '../figures.ts';
import { inParallel, patiently, timed } from '../load.ts';
import { announce, put } from '../objects.ts';
import type { Measurements, Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';
import { quantile } from '../statistics.ts';

/** Numbers of concurrent clients, each of which uploads one object after the other. */
export const CLIENTS = [1, 2, 4, 8, 16, 32, 64] as const;

/** The duration of a PUT, by the number of clients. */
export const load: Scenario<'objects' | 'bytes' | 'clients'> = {
  name: 'load',
  title: 'small PUTs, by the number of clients',
  figures: CLIENTS.flatMap((clients): FigureKind[] => [
    {
      name: `p50-${clients}`,
      title: `${clients} at a time: PUT, median`,
      unit: 'ms',
      better: 'less',
      floor: 'raw put',
    },
    { name: `p99-${clients}`, title: '– 99 of 100 within', unit: 'ms', better: 'less', floor: 'raw put' },
    { name: `acks-${clients}`, title: '– acknowledged', unit: '/s', better: 'more', floor: 'raw puts' },
  ]),
  sizes: {
    objects: { full: 128, quick: 32 },
    bytes: { full: 65_536, quick: 65_536 },
    clients: { full: 64, quick: 16 },
  },
  runs: { full: 1, quick: 1 },
  on: 'network',
  async run({ network, sizes, signal }) {
    const measured: Record<string, Measurements[string]> = {};
    for (const clients of CLIENTS) {
      if (clients > sizes.clients) continue;
      const objects = await announce(network, { count: sizes.objects, size: sizes.bytes }, signal);
      const spans = async (task: (object: (typeof objects)[number]) => Promise<unknown>) => {
        const times: number[] = [];
        const all = await timed(() =>
          inParallel(objects, clients, async (object) => {
            times.push(await timed(() => task(object)));
          }),
        );
        return { times, rate: (1_000 * objects.length) / all };
      };
      const floor = await spans(({ objectName, bytes }) => network.raw.put(objectName, bytes()));
      for (const { objectName } of objects) await network.raw.delete(objectName);
      await untilSealed(network, objects, signal, async () => {
        const found = await spans((object) => patiently(() => put(network, object, signal), signal));
        for (const [name, share] of [
          ['p50', 0.5],
          ['p99', 0.99],
        ] as const) {
          measured[`${name}-${clients}`] = {
            value: quantile(found.times, share),
            floor: quantile(floor.times, share),
          };
        }
        measured[`acks-${clients}`] = { value: found.rate, floor: floor.rate };
      });
    }
    return measured;
  },
};
