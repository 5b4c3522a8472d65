import { TakeOver } from '../../devnet/take-over.ts';
import { patiently } from '../load.ts';
import type { BenchNetwork } from '../network.ts';
import { announce, put } from '../objects.ts';
import type { Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';
import { median } from '../statistics.ts';

/** Three nodes, of which the one that works on an object is killed, or asked to stop, again and again. */
export const takeover: Scenario<'kills' | 'stops' | 'bytes'> = {
  name: 'takeover',
  title: 'the node that works on an object is killed, or asked to stop',
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
    {
      name: 'drained',
      title: 'from SIGTERM to the first event of another node, median',
      unit: 's',
      better: 'less',
    },
    {
      name: 'drained-worst',
      title: 'from SIGTERM to the first event of another node, longest',
      unit: 's',
      better: 'less',
      wanted: { value: { atMost: 2 } },
    },
  ],
  sizes: {
    kills: { full: 20, quick: 1 },
    stops: { full: 20, quick: 1 },
    bytes: { full: 65_536, quick: 65_536 },
  },
  runs: { full: 1, quick: 1 },
  on: 'own networks',
  async run({ start, sizes, say, signal }) {
    const network = await start({ nodes: 3 });
    const repeat = async (how: 'SIGKILL' | 'SIGTERM', count: number) => {
      const times: Passing[] = [];
      for (let i = 1; i <= count; i += 1) {
        const passing = await passOn(network, sizes.bytes, how, signal);
        times.push(passing);
        const { events, sealed } = passing;
        say([`${how} ${i}: another node after ${events.toFixed(2)} s, sealed after ${sealed.toFixed(1)} s`]);
      }
      return times;
    };
    const killed = await repeat('SIGKILL', sizes.kills);
    const stopped = await repeat('SIGTERM', sizes.stops);
    const events = killed.map((one) => one.events);
    const drained = stopped.map((one) => one.events);
    return {
      ...(killed.length > 0 && {
        median: { value: median(events) },
        worst: { value: Math.max(...events) },
        sealed: { value: median(killed.map(({ sealed }) => sealed)) },
      }),
      ...(stopped.length > 0 && {
        drained: { value: median(drained) },
        'drained-worst': { value: Math.max(...drained) },
      }),
    };
  },
};

/** Seconds from the signal to the first event that another node wrote, and to the seal. */
interface Passing {
  readonly events: number;
  readonly sealed: number;
}

/** Uploads an object, sends a signal to the node that has just begun to work on it, waits for the seal, and starts it again. */
async function passOn(
  network: BenchNetwork,
  size: number,
  how: 'SIGKILL' | 'SIGTERM',
  signal: AbortSignal,
): Promise<Passing> {
  const [object] = await announce(network, { count: 1, size }, signal);
  const { devnet, primary } = network;
  if (!object || !devnet) throw new RangeError('a take-over needs an object and a devnet');
  const takeOver = new TakeOver({ kill: (node) => devnet.sp(primary.id, node).kill(how) });
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
