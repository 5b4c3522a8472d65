import { TakeOver } from '../../devnet/take-over.ts';
import { patiently } from '../load.ts';
import type { BenchNetwork } from '../network.ts';
import { announce, put } from '../objects.ts';
import type { Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';
import { median } from '../statistics.ts';

/** Three nodes, of which the one that works on an object is killed again and again. */
export const takeover: Scenario<'kills' | 'bytes'> = {
  name: 'takeover',
  title: 'the node that works on an object is killed',
  figures: [
    {
      name: 'median',
      title: 'from the kill to the first event of another node, median',
      unit: 's',
      better: 'less',
    },
    {
      name: 'worst',
      title: 'from the kill to the first event of another node, longest',
      unit: 's',
      better: 'less',
      wanted: { value: { atMost: 15 } },
    },
    { name: 'sealed', title: 'from the kill to the seal, median', unit: 's', better: 'less' },
  ],
  sizes: { kills: { full: 20, quick: 1 }, bytes: { full: 65_536, quick: 65_536 } },
  runs: { full: 1, quick: 1 },
  on: 'own networks',
  async run({ start, sizes, say, signal }) {
    const network = await start({ nodes: 3 });
    const times: Passing[] = [];
    for (let i = 1; i <= sizes.kills; i += 1) {
      const passing = await passOn(network, sizes.bytes, signal);
      times.push(passing);
      say([
        `kill ${i}: another node after ${passing.events.toFixed(1)} s, sealed after ${passing.sealed.toFixed(1)} s`,
      ]);
    }
    const events = times.map((one) => one.events);
    return {
      median: { value: median(events) },
      worst: { value: Math.max(...events) },
      sealed: { value: median(times.map(({ sealed }) => sealed)) },
    };
  },
};

/** Seconds from the kill to the first event that another node wrote, and to the seal. */
interface Passing {
  readonly events: number;
  readonly sealed: number;
}

/** Uploads an object, kills the node that has just begun to work on it, waits for the seal, and starts it again. */
async function passOn(network: BenchNetwork, size: number, signal: AbortSignal): Promise<Passing> {
  const [object] = await announce(network, { count: 1, size }, signal);
  const { devnet, primary } = network;
  if (!object || !devnet) throw new RangeError('a take-over needs an object and a devnet');
  const takeOver = new TakeOver({ kill: (node) => devnet.sp(primary.id, node).kill() });
  const sealedAt = await untilSealed(
    network,
    [object],
    signal,
    async () => {
      await patiently(() => put(network, object, signal), signal);
      takeOver.acknowledged();
    },
    (announcement) => takeOver.hear(announcement),
  );
  const { killed, killedAt, ms } = await takeOver.end();
  await devnet.sp(primary.id, killed).start(signal);
  return { events: ms / 1_000, sealed: (sealedAt - killedAt) / 1_000 };
}
