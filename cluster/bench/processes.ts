import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { mean } from './statistics.ts';

/** One process of a network under measurement. */
export interface NetworkProcess {
  /** `sp1`, `chain`, `nats-server`, `client`. */
  readonly name: string;
  readonly pid: number;
}

/** CPU time that processes have used since their start, ms, by name. */
export type CpuTimes = ReadonlyMap<string, number>;

/** The children of a devnet's process; none where /proc does not exist, as on macOS. */
export async function devnetProcesses(parent: number): Promise<readonly NetworkProcess[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => identify(pid, parent)));
  return found.filter((one) => one !== undefined).sort((a, b) => a.name.localeCompare(b.name));
}

/** CPU time of each process, including its threads; 0 for one that has ended. */
export async function cpuTimes(processes: readonly NetworkProcess[]): Promise<CpuTimes> {
  const times = await Promise.all(
    processes.map(async ({ name, pid }): Promise<[string, number]> => [name, await cpuMs(pid)]),
  );
  return new Map(times);
}

/** CPU time per object, ms, by the role of a process for the objects of one primary. */
export interface RoleTimes {
  readonly all: number;
  readonly primary: number;
  /** Average of the secondaries. */
  readonly secondary: number;
  readonly chain: number;
  readonly nats: number;
  readonly client: number;
}

/** CPU time per object between two measurements. Undefined when the processes cannot be observed. */
export function cpuOf(
  network: { readonly processes: readonly NetworkProcess[]; readonly primary: { readonly id: number } },
  before: CpuTimes,
  after: CpuTimes,
  objects: number,
): RoleTimes | undefined {
  const names = network.processes.map(({ name }) => name);
  if (names.length === 0) return undefined;
  const used = (name: string) => ((after.get(name) ?? 0) - (before.get(name) ?? 0)) / objects;
  const primary = `sp${network.primary.id}`;
  const secondaries = names.filter((name) => name.startsWith('sp') && name !== primary);
  return {
    all: names.reduce((sum, name) => sum + used(name), 0),
    primary: used(primary),
    secondary: mean(secondaries.map(used)),
    chain: used('chain'),
    nats: used('nats-server'),
    client: used('client'),
  };
}

/** Peak memory of a process, bytes; NaN without /proc. */
export async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}

/** Resets the peak to the current memory of a process. */
export async function resetPeakMemory(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}

async function identify(pid: number, parent: number): Promise<NetworkProcess | undefined> {
  const [, ppid] = (await statOf(pid)) ?? [];
  if (Number(ppid) !== parent) return undefined;
  const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  const name = nameOf(command);
  return name === undefined ? undefined : { name, pid };
}

function nameOf(command: readonly string[]): string | undefined {
  if (command[0]?.endsWith('nats-server')) return 'nats-server';
  if (command.some((word) => word.endsWith('chain/main.js'))) return 'chain';
  const config = command[command.indexOf('--config') + 1];
  return /\/(sp\d+)\/[^/]+$/.exec(config ?? '')?.[1];
}

async function cpuMs(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return ((Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0)) * 1_000) / ticksPerSecond();
}

/** The fields of /proc/<pid>/stat from the state on. The name before it may contain spaces and parentheses. */
async function statOf(pid: number): Promise<readonly string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text?.slice(text.lastIndexOf(') ') + 2).split(' ');
}

let ticks: number | undefined;

function ticksPerSecond(): number {
  ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return ticks;
}
