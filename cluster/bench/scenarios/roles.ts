import type { Role } from '../../config/roles.ts';
import { NODE_NAMES } from '../../devnet/plan.ts';
import type { FigureKind } from '../figures.ts';
import { inParallel, patiently } from '../load.ts';
import { BenchNetwork } from '../network.ts';
import { announce, put } from '../objects.ts';
import { cpuTimes } from '../processes.ts';
import type { Measurements, Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';

const OBJECTS = [
  { name: '64KiB', bytes: 2 ** 16, share: 1 },
  { name: '2MB', bytes: 2_000_000, share: 1 / 4 },
  { name: '64MiB', bytes: 2 ** 26, share: 1 / 60 },
] as const;

/** Nodes of each role, beside one keeper. */
const COUNTS = [1, 2, 4] as const;
const SEVERAL: readonly Role[] = ['gateway', 'task', 'receiver'];
/** The primary of objects of which the provider with the nodes receives a column. */
const OTHER_PRIMARY = 2;
const CLIENTS = 8;

const kinds = COUNTS.flatMap((count) =>
  OBJECTS.flatMap(({ name }): FigureKind[] => [
    ...(['gateway', 'task', 'keeper'] as const).map((role) => ({
      name: `${role}-${name}-${count}`,
      title: `${name}, ${count} of each role: CPU per object, ${role}`,
      unit: 'ms' as const,
      better: 'less' as const,
    })),
    {
      name: `receiver-${name}-${count}`,
      title: `${name}, ${count} of each role: CPU per column, receiver`,
      unit: 'ms',
      better: 'less',
    },
    {
      name: `seals-${name}-${count}`,
      title: `${name}, ${count} of each role: sealed`,
      unit: '/s',
      better: 'more',
    },
  ]),
);

/** What each role of a provider costs, with one, two and four nodes of it: all of one role together. */
export const roles: Scenario<'objects' | 'least' | 'most'> = {
  name: 'roles',
  title: 'a provider whose nodes have one role each',
  figures: kinds,
  sizes: { objects: { full: 120, quick: 12 }, least: { full: 1, quick: 1 }, most: { full: 4, quick: 1 } },
  runs: { full: 1, quick: 1 },
  on: 'own networks',
  async run({ start, sizes, signal }) {
    const measured: Record<string, Measurements[string]> = {};
    for (const count of COUNTS) {
      if (count < sizes.least || count > sizes.most) continue;
      const nodes: Role[] = [
        ...SEVERAL.flatMap((role) => Array.from({ length: count }, () => role)),
        'keeper',
      ];
      const network = await start({ nodes: nodes.length, roles: nodes.map((role) => [role]) });
      const other = await BenchNetwork.connect(network.devnet?.path ?? '', signal, OTHER_PRIMARY);
      try {
        await upload(network, 8, 2 ** 16, signal);
        await upload(other, 8, 2 ** 16, signal);
        for (const { name, bytes, share } of OBJECTS) {
          const objects = Math.max(1, Math.round(sizes.objects * share));
          const own = await measure(network, nodes, () => upload(network, objects, bytes, signal));
          const received = await measure(network, nodes, () => upload(other, objects, bytes, signal));
          for (const role of ['gateway', 'task', 'keeper'] as const)
            measured[`${role}-${name}-${count}`] = { value: own.cpu(role) / objects };
          measured[`receiver-${name}-${count}`] = { value: received.cpu('receiver') / objects };
          measured[`seals-${name}-${count}`] = { value: objects / (own.ms / 1_000) };
        }
      } finally {
        await other.close();
        await network.close();
      }
    }
    return measured;
  },
};

/** Uploads objects a few at a time. @returns ms from the first PUT to the last seal */
async function upload(
  network: BenchNetwork,
  count: number,
  size: number,
  signal: AbortSignal,
): Promise<number> {
  const objects = await announce(network, { count, size }, signal);
  const begin = performance.now();
  const sealedAt = await untilSealed(network, objects, signal, () =>
    inParallel(objects, CLIENTS, async (object) => {
      await patiently(() => put(network, object, signal), signal);
    }),
  );
  return sealedAt - begin;
}

/** CPU time that the nodes of a role have used together, ms, while something ran. */
async function measure(
  { devnet, primary }: BenchNetwork,
  roles: readonly Role[],
  work: () => Promise<number>,
): Promise<{ readonly ms: number; cpu(role: Role): number }> {
  const processes = roles.map((_, i) => {
    const name = NODE_NAMES[i] ?? '';
    return { name, pid: devnet?.sp(primary.id, name).pid ?? 0 };
  });
  const before = await cpuTimes(processes);
  const ms = await work();
  const after = await cpuTimes(processes);
  const used = processes.map(({ name }) => (after.get(name) ?? 0) - (before.get(name) ?? 0));
  return { ms, cpu: (role) => used.reduce((sum, one, i) => sum + (roles[i] === role ? one : 0), 0) };
}
