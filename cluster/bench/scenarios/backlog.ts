import { inParallel, patiently, timed } from '../load.ts';
import type { BenchNetwork } from '../network.ts';
import { announce, type BenchObject, put } from '../objects.ts';
import type { Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';
import { quantile } from '../statistics.ts';

/** Whether a backlog of jobs to be replicated slows down clients. */
export const backlog: Scenario<'jobs' | 'bytes' | 'puts' | 'clients'> = {
  name: 'backlog',
  title: 'a small PUT while many jobs wait',
  figures: [
    {
      name: 'p50',
      title: 'PUT, median, while jobs wait',
      unit: 'ms',
      better: 'less',
      floor: 'none waits',
      wanted: { ratio: { atMost: 2 } },
    },
    { name: 'waiting', title: 'jobs that waited meanwhile, at least', unit: '', better: 'more' },
  ],
  sizes: {
    jobs: { full: 2_000, quick: 48 },
    bytes: { full: 65_536, quick: 65_536 },
    puts: { full: 50, quick: 10 },
    clients: { full: 32, quick: 32 },
  },
  runs: { full: 1, quick: 1 },
  on: 'network',
  async run({ network, sizes, signal }) {
    const { jobs, bytes: size, puts, clients } = sizes;
    const idle = await announce(network, { count: puts, size }, signal);
    const none: number[] = [];
    await untilSealed(network, idle, signal, async () => {
      // Each is sealed before the next one is uploaded, or they would wait for each other.
      for (const object of idle) {
        await untilSealed(network, [object], signal, async () => {
          none.push(await putTime(network, object, signal));
        });
      }
    });
    const many = await announce(network, { count: jobs, size }, signal);
    const some = await announce(network, { count: puts, size }, signal);
    const waiting = new Set(many.map(({ objectId }) => objectId));
    const meanwhile: number[] = [];
    let least = 0;
    await untilSealed(
      network,
      [...many, ...some],
      signal,
      async () => {
        await inParallel(many, clients, async (object) => {
          await putTime(network, object, signal);
        });
        for (const object of some) meanwhile.push(await putTime(network, object, signal));
        least = waiting.size;
      },
      ({ job, state }) => {
        if (state === 'SEAL_OBJECT_DONE') waiting.delete(job.objectId);
      },
    );
    return {
      p50: { value: quantile(meanwhile, 0.5), floor: quantile(none, 0.5) },
      waiting: { value: least },
    };
  },
};

function putTime(network: BenchNetwork, object: BenchObject, signal: AbortSignal): Promise<number> {
  return timed(() => patiently(() => put(network, object, signal), signal));
}
