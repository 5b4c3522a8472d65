import { Terminal } from '#protocols/errors';
import { patiently } from '../load.ts';
import type { BenchNetwork } from '../network.ts';
import { announce, put } from '../objects.ts';
import { peakMemory, resetPeakMemory } from '../processes.ts';
import type { Measurements, Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';

/** Whether memory use depends on the size of an object. */
export const memory: Scenario<'bytes' | 'less'> = {
  name: 'memory',
  title: 'memory of a node for a large object',
  figures: [
    {
      name: 'primary',
      title: 'most memory of the primary, upload and replication',
      unit: 'MB',
      better: 'less',
      floor: 'for a smaller one',
      wanted: { value: { atMost: 350 }, ratio: { atMost: 1.3 } },
    },
    {
      name: 'secondary',
      title: 'most memory of a secondary',
      unit: 'MB',
      better: 'less',
      floor: 'for a smaller one',
      wanted: { value: { atMost: 350 }, ratio: { atMost: 1.3 } },
    },
  ],
  sizes: { bytes: { full: 2 ** 32, quick: 2 ** 28 }, less: { full: 2 ** 26, quick: 2 ** 26 } },
  runs: { full: 1, quick: 1 },
  on: 'network',
  /** @throws Terminal `processes-unknown` */
  async run({ network, sizes, signal }): Promise<Measurements> {
    if (network.processes.length === 0) throw processesUnknown();
    const small = await peaks(network, sizes.less, signal);
    const big = await peaks(network, sizes.bytes, signal);
    return {
      primary: { value: big.primary / 1e6, floor: small.primary / 1e6 },
      secondary: { value: big.secondary / 1e6, floor: small.secondary / 1e6 },
    };
  },
};

function processesUnknown(): Terminal {
  return new Terminal({
    code: 'processes-unknown',
    message: 'The memory of the nodes cannot be seen: they are not processes of a devnet on this machine.',
    advice: 'Give the devnet.json of a devnet that runs on this machine, under Linux, or no --devnet.',
  });
}

/** Peak memory of the primary and of any secondary while one object is uploaded and sealed, bytes. */
async function peaks(network: BenchNetwork, size: number, signal: AbortSignal) {
  const nodes = network.processes.filter(({ name }) => name.startsWith('sp'));
  const [object] = await announce(network, { count: 1, size }, signal);
  for (const { pid } of nodes) await resetPeakMemory(pid);
  if (object) {
    await untilSealed(network, [object], signal, async () => {
      await patiently(() => put(network, object, signal), signal);
    });
  }
  const found = await Promise.all(
    nodes.map(async ({ name, pid }) => ({ name, bytes: await peakMemory(pid) })),
  );
  const ofPrimary = `sp${network.primary.id}`;
  return {
    primary: found.find(({ name }) => name === ofPrimary)?.bytes ?? Number.NaN,
    secondary: Math.max(...found.filter(({ name }) => name !== ofPrimary).map(({ bytes }) => bytes)),
  };
}
