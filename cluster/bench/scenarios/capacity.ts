import { costsFrom } from '../capacity/costs.ts';
import type { Setting } from '../capacity/demand.ts';
import { type Bottleneck, predict } from '../capacity/model.ts';
import { Random } from '../capacity/random.ts';
import { simulate } from '../capacity/simulation.ts';
import type { Scenario } from '../scenario.ts';
import { markdownTable, rounded } from '../table.ts';

type Size =
  | 'nodes'
  | 'storeCores'
  | 'linkMbit'
  | 'diskMb'
  | 'blockMs'
  | 'sealsPerBlock'
  | 'simulated'
  | 'blocks'
  | 'goal';

const NETWORKS = [7, 50, 200, 1_000];
const OBJECTS = [
  { name: '64 KiB', bytes: 2 ** 16 },
  { name: '2 MB', bytes: 2_000_000 },
  { name: '64 MiB', bytes: 2 ** 26 },
  { name: '1 GiB', bytes: 2 ** 30 },
];
const SEGMENT = 2 ** 24;
/** Highest planned utilisation of a resource: above it, waits grow quickly. */
const PLANNED = 0.7;

/** What to add for each bottleneck. */
const REMEDY: Readonly<Record<Bottleneck, string>> = {
  loop: 'node processes of each SP',
  store: 'cores for nats-server',
  disk: 'disks',
  linkIn: 'bandwidth in',
  linkOut: 'bandwidth out',
  chain: 'seals in a block',
};

/** The capacity of networks of up to 1 000 SPs, from measured costs and a model that a simulation checks. */
export const capacity: Scenario<Size> = {
  name: 'capacity',
  title: 'what larger networks can do, by a model and its simulation',
  figures: [
    {
      name: 'deviation',
      title: 'largest deviation of the model from the simulation, to the seal',
      unit: '',
      better: 'less',
      wanted: { value: { atMost: 0.25 } },
    },
  ],
  sizes: {
    nodes: { full: 1, quick: 1 },
    storeCores: { full: 3, quick: 3 },
    linkMbit: { full: 10_000, quick: 10_000 },
    diskMb: { full: 1_000, quick: 1_000 },
    blockMs: { full: 2_000, quick: 2_000 },
    sealsPerBlock: { full: 4_000, quick: 4_000 },
    simulated: { full: 5_000, quick: 1_000 },
    blocks: { full: 20, quick: 10 },
    goal: { full: 10_000, quick: 10_000 },
  },
  runs: { full: 1, quick: 1 },
  on: 'nothing',
  async run({ sizes, figures, say }) {
    const { costs, from } = costsFrom(figures);
    const settings = NETWORKS.flatMap((sps) =>
      OBJECTS.map(({ name, bytes }) => ({ name, setting: settingOf(sizes, costs, sps, bytes) })),
    );
    const rows: string[][] = [];
    let worst = 0;
    for (const { name, setting } of settings) {
      const { limit, bottleneck } = predict(setting);
      const half = { ...setting, objectsPerSecond: limit / 2 };
      const [model, observed] = [predict(half), simulate(half, enough(half, sizes), new Random(1))];
      worst = Math.max(worst, Math.abs(model.sealSeconds / observed.sealSeconds - 1));
      rows.push([
        `${setting.sps}`,
        name,
        `${rounded(limit)} /s`,
        REMEDY[bottleneck],
        `${rounded(model.ackSeconds)} s`,
        `${rounded(model.sealSeconds)} s`,
        `${rounded(observed.sealSeconds)} s`,
        needed({ ...setting, objectsPerSecond: sizes.goal }),
      ]);
    }
    say([
      '',
      `costs: ${from}`,
      '',
      ...markdownTable([
        [
          'SPs',
          'objects',
          'limit',
          'used up first',
          'acknowledged, at half of it',
          'sealed',
          'sealed, simulated',
          `to add for ${sizes.goal} /s`,
        ],
        ...rows,
      ]),
    ]);
    return { deviation: { value: worst } };
  },
};

function settingOf(
  sizes: Readonly<Record<Size, number>>,
  costs: Setting['costs'],
  sps: number,
  objectBytes: number,
): Setting {
  return {
    sps,
    objectsPerSecond: 1,
    objectBytes,
    segmentBytes: SEGMENT,
    machine: {
      nodes: sizes.nodes,
      storeCores: sizes.storeCores,
      linkRate: (sizes.linkMbit * 1e6) / 8,
      diskRate: sizes.diskMb * 1e6,
    },
    chain: { blockSeconds: sizes.blockMs / 1_000, sealsPerBlock: sizes.sealsPerBlock },
    costs,
  };
}

/** Number of objects to simulate: enough for many blocks, or the mean would depend on the time of the first block. */
function enough(
  { objectsPerSecond, chain }: Setting,
  { simulated, blocks }: { readonly simulated: number; readonly blocks: number },
): number {
  return Math.max(simulated, Math.ceil(blocks * chain.blockSeconds * objectsPerSecond));
}

/** If machines would have to be larger by more than this factor, more SPs are suggested instead. */
const ONE_MACHINE = 20;

/** Lists the factors by which resources must grow so that their utilisation is at most `PLANNED`. */
function needed(setting: Setting): string {
  const { chain, ...own } = predict(setting).utilisation;
  const most = Math.max(...Object.values(own)) / PLANNED;
  const times = (what: string, factor: number) => `${what} × ${rounded(factor)}`;
  const short: string[] = [];
  if (most > ONE_MACHINE) short.push(times('SPs', most));
  else {
    for (const [resource, used] of Object.entries(own).sort(([, a], [, b]) => b - a)) {
      if (used > PLANNED) short.push(times(REMEDY[resource as Bottleneck], used / PLANNED));
    }
  }
  if (chain > PLANNED) short.push(times(REMEDY.chain, chain / PLANNED));
  return short.join(', ') || 'nothing';
}
