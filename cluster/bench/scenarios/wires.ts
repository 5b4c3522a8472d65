import { patiently } from '../load.ts';
import type { BenchNetwork } from '../network.ts';
import { announce, put } from '../objects.ts';
import type { Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';
import { median } from '../statistics.ts';

/** The same object replicated over either wire between storage providers. */
export const wires: Scenario<'bytes' | 'objects'> = {
  name: 'wires',
  title: 'one object over NATS and over HTTP',
  figures: [
    {
      name: 'replicated',
      title: 'from the acknowledgement to six receipts, over NATS',
      unit: 's',
      better: 'less',
      floor: 'over HTTP',
      wanted: { ratio: { atMost: 1 } },
    },
  ],
  sizes: { bytes: { full: 100 * 2 ** 20, quick: 16 * 2 ** 20 }, objects: { full: 5, quick: 1 } },
  runs: { full: 1, quick: 1 },
  on: 'own networks',
  async run({ start, sizes, signal }) {
    const nats = await start({ node: { peers: { wires: ['nats'] } } });
    const http = await start({ node: { peers: { wires: ['http'] } } });
    const times: { nats: number[]; http: number[] } = { nats: [], http: [] };
    for (let i = 0; i < sizes.objects; i += 1) {
      times.nats.push(await replication(nats, sizes.bytes, signal));
      times.http.push(await replication(http, sizes.bytes, signal));
    }
    return { replicated: { value: median(times.nats) / 1_000, floor: median(times.http) / 1_000 } };
  },
};

/** Time from the acknowledgement of an object to the last of its six receipts, ms. */
async function replication(network: BenchNetwork, size: number, signal: AbortSignal): Promise<number> {
  const [object] = await announce(network, { count: 1, size }, signal);
  if (!object) return Number.NaN;
  let [acked, done] = [Number.NaN, Number.NaN];
  await untilSealed(
    network,
    [object],
    signal,
    async () => {
      await patiently(() => put(network, object, signal), signal);
      acked = performance.now();
    },
    ({ state, secondary }) => {
      if (state === 'REPLICATE_OBJECT_DONE' && !secondary) done = performance.now();
    },
  );
  return done - acked;
}
