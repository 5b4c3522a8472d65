import { inParallel, patiently, timed } from '../load.ts';
import type { BenchNetwork } from '../network.ts';
import { announce, type BenchObject, put } from '../objects.ts';
import { cpuOf, cpuTimes, type RoleTimes } from '../processes.ts';
import type { Measurements, Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';
import { quantile } from '../statistics.ts';

/** Many small objects to one primary: the cost per object. */
export const small: Scenario<'objects' | 'bytes' | 'clients' | 'warmUp'> = {
  name: 'small',
  title: 'many small objects to one primary',
  figures: [
    {
      name: 'acks',
      title: 'acknowledged',
      unit: '/s',
      better: 'more',
      floor: 'raw puts',
      wanted: { value: { atLeast: 60 }, ratio: { atLeast: 0.2 } },
    },
    { name: 'p50', title: 'PUT, median', unit: 'ms', better: 'less', floor: 'raw put' },
    {
      name: 'p99',
      title: 'PUT, 99 of 100 within',
      unit: 'ms',
      better: 'less',
      floor: 'raw put',
      wanted: { value: { atMost: 1_000 } },
    },
    { name: 'refused', title: 'PUTs refused and tried again', unit: '', better: 'less' },
    { name: 'seals', title: 'sealed', unit: '/s', better: 'more', wanted: { value: { atLeast: 20 } } },
    {
      name: 'cpu',
      title: 'CPU per object, all processes',
      unit: 'ms',
      better: 'less',
      wanted: { value: { atMost: 80 } },
    },
    { name: 'cpu-primary', title: '– of the primary', unit: 'ms', better: 'less' },
    { name: 'cpu-secondary', title: '– of each secondary', unit: 'ms', better: 'less' },
    { name: 'cpu-chain', title: '– of the chain', unit: 'ms', better: 'less' },
    { name: 'cpu-nats', title: '– of nats-server', unit: 'ms', better: 'less' },
    { name: 'cpu-client', title: '– of the client', unit: 'ms', better: 'less' },
  ],
  sizes: {
    objects: { full: 1_000, quick: 96 },
    bytes: { full: 65_536, quick: 65_536 },
    clients: { full: 32, quick: 32 },
    warmUp: { full: 16, quick: 8 },
  },
  runs: { full: 5, quick: 1 },
  on: 'network',
  async run({ network, sizes, signal }) {
    const { bytes: size, clients } = sizes;
    // Processes that have just started are slower than those in operation.
    const first = await announce(network, { count: sizes.warmUp, size }, signal);
    await untilSealed(network, first, signal, () =>
      putAll(network, first, clients, signal).then(() => undefined),
    );
    const objects = await announce(network, { count: sizes.objects, size }, signal);
    const floor = await rawPuts(network, objects, clients);
    return measure(network, objects, clients, floor, signal);
  },
};

interface Puts {
  /** Ms from the first PUT to the last acknowledgement. */
  readonly ms: number;
  /** Duration of each PUT, including refusals and retries, ms. */
  readonly latencies: readonly number[];
  readonly refused: number;
}

async function measure(
  network: BenchNetwork,
  objects: readonly BenchObject[],
  clients: number,
  floor: Puts,
  signal: AbortSignal,
): Promise<Measurements> {
  const before = await cpuTimes(network.processes);
  const begin = performance.now();
  let puts: Puts | undefined;
  const sealedAt = await untilSealed(network, objects, signal, async () => {
    puts = await putAll(network, objects, clients, signal);
  });
  const after = await cpuTimes(network.processes);
  if (!puts) return {};
  const { ms, latencies, refused } = puts;
  const rate = (span: number) => (1_000 * objects.length) / span;
  return {
    acks: { value: rate(ms), floor: rate(floor.ms) },
    p50: { value: quantile(latencies, 0.5), floor: quantile(floor.latencies, 0.5) },
    p99: { value: quantile(latencies, 0.99), floor: quantile(floor.latencies, 0.99) },
    refused: { value: refused },
    seals: { value: rate(sealedAt - begin) },
    ...cpuFigures(cpuOf(network, before, after, objects.length)),
  };
}

function cpuFigures(cpu: RoleTimes | undefined): Measurements {
  if (!cpu) return {};
  return {
    cpu: { value: cpu.all },
    'cpu-primary': { value: cpu.primary },
    'cpu-secondary': { value: cpu.secondary },
    'cpu-chain': { value: cpu.chain },
    'cpu-nats': { value: cpu.nats },
    'cpu-client': { value: cpu.client },
  };
}

async function putAll(
  network: BenchNetwork,
  objects: readonly BenchObject[],
  clients: number,
  signal: AbortSignal,
): Promise<Puts> {
  const latencies: number[] = [];
  let refused = 0;
  const ms = await timed(() =>
    inParallel(objects, clients, async (object) => {
      const taken = await timed(async () => {
        refused += await patiently(() => put(network, object, signal), signal);
      });
      latencies.push(taken);
    }),
  );
  return { ms, latencies, refused };
}

/** Puts the same bytes into a plain object store, with the same concurrency. */
async function rawPuts(
  { raw }: BenchNetwork,
  objects: readonly BenchObject[],
  clients: number,
): Promise<Puts> {
  const latencies: number[] = [];
  const ms = await timed(() =>
    inParallel(objects, clients, async ({ objectName, bytes }) => {
      latencies.push(await timed(() => raw.put(objectName, bytes())));
    }),
  );
  for (const { objectName } of objects) await raw.delete(objectName);
  return { ms, latencies, refused: 0 };
}
