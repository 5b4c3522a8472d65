import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { markdownTable } from './table.ts';

/** Roles whose process can be profiled. */
export const PROFILE_ROLES = ['primary', 'secondary', 'chain'] as const;
export type ProfileRole = (typeof PROFILE_ROLES)[number];

/** The devnet process that has each role for the bench's objects. */
export const PROCESS_OF: Readonly<Record<ProfileRole, string>> = {
  primary: 'sp1',
  secondary: 'sp2',
  chain: 'chain',
};

/** Options of Node that write a profile into a folder when the process ends. */
export function profileOptions(folder: string): readonly string[] {
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500'];
}

const CpuProfile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  /** µs on the monotonic clock, which is the same for all processes of a machine. */
  startTime: z.number(),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

export type CpuProfile = z.infer<typeof CpuProfile>;

/** The functions and modules in which a process spent its time. */
export interface Hotspots {
  /** Time in which it was not idle, ms. */
  readonly busyMs: number;
  readonly idleMs: number;
  /** Self time by function and by package or file, ms, the largest first. */
  readonly functions: readonly (readonly [name: string, ms: number])[];
  readonly modules: readonly (readonly [name: string, ms: number])[];
}

/** Reads the profile that a process wrote into a folder. Undefined when there is none because it was killed. */
export async function readProfile(folder: string): Promise<CpuProfile | undefined> {
  const name = (await readdir(folder).catch(() => [])).find((file) => file.endsWith('.cpuprofile'));
  return name === undefined
    ? undefined
    : CpuProfile.parse(JSON.parse(await readFile(join(folder, name), 'utf8')));
}

/** @param since µs on the monotonic clock; earlier samples, such as those of the start, are ignored */
export function hotspots(profile: CpuProfile, since = 0): Hotspots {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const functions = new Map<string, number>();
  const modules = new Map<string, number>();
  let [busy, idle, at] = [0, 0, profile.startTime];
  profile.samples.forEach((id, i) => {
    const ms = (profile.timeDeltas[i] ?? 0) / 1_000;
    at += profile.timeDeltas[i] ?? 0;
    const frame = frames.get(id);
    if (!frame || at < since) return;
    if (frame.functionName === '(idle)') {
      idle += ms;
      return;
    }
    busy += ms;
    const file = shortFile(frame.url);
    const place = file && ` ${file}:${frame.lineNumber + 1}`;
    add(functions, `${frame.functionName || '(anonymous)'}${place}`, ms);
    add(modules, moduleOf(file) || frame.functionName, ms);
  });
  return { busyMs: busy, idleMs: idle, functions: largest(functions), modules: largest(modules) };
}

/** Tables of the first functions and modules, with their share of the busy time. */
export function hotspotTables({ busyMs, functions, modules }: Hotspots, rows = 25): readonly string[] {
  const table = (head: string, entries: Hotspots['functions']) =>
    markdownTable([
      ['share', 'self, ms', head],
      ...entries
        .slice(0, rows)
        .map(([name, ms]) => [`${((100 * ms) / busyMs).toFixed(1)} %`, ms.toFixed(0), name]),
    ]);
  return [...table('package or file', modules), '', ...table('function', functions)];
}

function add(sums: Map<string, number>, name: string, ms: number): void {
  sums.set(name, (sums.get(name) ?? 0) + ms);
}

function largest(sums: ReadonlyMap<string, number>): Hotspots['functions'] {
  return [...sums].sort(([, a], [, b]) => b - a);
}

function shortFile(url: string): string {
  return url
    .replace(/^file:\/\//, '')
    .replace(/^.*\/(node_modules\/|dist\/)/, (_, folder: string) => (folder === 'dist/' ? '' : folder));
}

/** `@scope/name` for a file of a package, `node:…` unchanged, the path for our own files; empty without a file. */
function moduleOf(file: string): string {
  return /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? file;
}
