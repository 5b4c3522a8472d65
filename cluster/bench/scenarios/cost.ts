import type { FigureKind } from '../figures.ts';
import { timed } from '../load.ts';
import type { BenchNetwork } from '../network.ts';
import { announce, put } from '../objects.ts';
import { cpuOf, cpuTimes } from '../processes.ts';
import type { Measurements, Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';

/** Sizes of objects, smallest first, each with the number of objects uploaded one after the other. */
export const COST_SIZES = [
  { name: '64KiB', bytes: 2 ** 16, objects: 8 },
  { name: '1MiB', bytes: 2 ** 20, objects: 6 },
  { name: '8MiB', bytes: 2 ** 23, objects: 4 },
  { name: '64MiB', bytes: 2 ** 26, objects: 2 },
  { name: '512MiB', bytes: 2 ** 29, objects: 1 },
] as const;

const kinds = COST_SIZES.flatMap(({ name }): FigureKind[] => [
  {
    name: `acked-${name}`,
    title: `${name} to the acknowledgement`,
    unit: 's',
    better: 'less',
    floor: 'raw put',
  },
  { name: `sealed-${name}`, title: `${name} to the seal`, unit: 's', better: 'less', floor: 'raw put' },
  { name: `cpu-${name}`, title: `${name}: CPU of all processes`, unit: 'ms', better: 'less' },
  { name: `cpu-primary-${name}`, title: '– of the primary', unit: 'ms', better: 'less' },
  { name: `cpu-secondary-${name}`, title: '– of each secondary', unit: 'ms', better: 'less' },
  { name: `cpu-nats-${name}`, title: '– of nats-server', unit: 'ms', better: 'less' },
]);

/** Time and CPU that a single object costs, by its size. */
export const cost: Scenario<'largest'> = {
  name: 'cost',
  title: 'one object at a time, by its size',
  figures: kinds,
  sizes: { largest: { full: 2 ** 29, quick: 2 ** 23 } },
  runs: { full: 1, quick: 1 },
  on: 'network',
  async run({ network, sizes, signal }) {
    const measured: Record<string, Measurements[string]> = {};
    for (const { name, bytes, objects } of COST_SIZES) {
      if (bytes > sizes.largest) continue;
      const found = await measure(network, bytes, objects, signal);
      for (const [figure, value] of Object.entries(found)) measured[`${figure}-${name}`] = value;
    }
    return measured;
  },
};

async function measure(
  network: BenchNetwork,
  size: number,
  count: number,
  signal: AbortSignal,
): Promise<Measurements> {
  const objects = await announce(network, { count, size }, signal);
  let [floor, acked, sealed] = [0, 0, 0];
  for (const { objectName, bytes } of objects) {
    floor += await timed(() => network.raw.put(objectName, bytes()));
    await network.raw.delete(objectName);
  }
  const before = await cpuTimes(network.processes);
  for (const object of objects) {
    const begin = performance.now();
    const at = await untilSealed(network, [object], signal, async () => {
      acked += await timed(() => put(network, object, signal));
    });
    sealed += at - begin;
  }
  const after = await cpuTimes(network.processes);
  const seconds = (ms: number) => ms / 1_000 / count;
  const cpu = cpuOf(network, before, after, count);
  return {
    acked: { value: seconds(acked), floor: seconds(floor) },
    sealed: { value: seconds(sealed), floor: seconds(floor) },
    ...(cpu && {
      cpu: { value: cpu.all },
      'cpu-primary': { value: cpu.primary },
      'cpu-secondary': { value: cpu.secondary },
      'cpu-nats': { value: cpu.nats },
    }),
  };
}
