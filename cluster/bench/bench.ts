import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { throwIfAborted, toSealionError } from '#protocols/errors';
import { orAborted } from '#runtime/async/or-aborted';
import type { Reporter } from '../cli/reporter.ts';
import { type Figure, type Measurement, summarise } from './figures.ts';
import { BenchNetwork, type NetworkSettings } from './network.ts';
import { type BenchOptions, sizesOf } from './options.ts';
import { type Hotspots, hotspots, PROCESS_OF, profileOptions, readProfile } from './profile.ts';
import { type BenchReport, machine } from './report.ts';
import type { Measurements, Scenario, ScenarioContext } from './scenario.ts';

/** Time limit of `--quick`, including start and stop of the devnet, ms. */
const QUICK_MS = 110_000;
/** Time limit of a full bench, ms. */
const TOTAL_MS = 6 * 3_600_000;
/** Time limit of one scenario with all its runs, ms. */
const SCENARIO_MS = 3_600_000;

/** A report, and the profile of one process if it was requested. */
export interface BenchResult {
  readonly report: BenchReport;
  readonly profile?: Hotspots;
}

/** Runs the scenarios one after the other. One that fails is listed in the report as missing; the others still run. */
export async function runBench(
  options: BenchOptions,
  report: Reporter,
  signal: AbortSignal,
): Promise<BenchResult> {
  const facts = {
    format: 1,
    at: new Date().toISOString(),
    machine: machine(),
    quick: options.quick,
  } as const;
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(timeLimit(options))]);
  const figures: Figure[] = [];
  const missing: Record<string, string> = {};
  const sizes: Record<string, number> = {};
  const profiles = join('.cache', 'bench', `profile-${process.pid}`);
  const network = options.only.some(({ on }) => on === 'network')
    ? await openNetwork(options, profiles, report, signal)
    : undefined;
  const since = Number(process.hrtime.bigint() / 1_000n);
  try {
    for (const scenario of options.only) {
      const own = sizesOf(scenario, options);
      for (const [name, size] of Object.entries(own)) sizes[`${scenario.name}.${name}`] = size;
      const { measured, fault } = await runScenario(
        scenario,
        { ...options, sizes: own, figures },
        network,
        report,
        bounded,
      );
      throwIfAborted(signal);
      figures.push(...summaries(scenario, measured));
      if (fault !== undefined) missing[scenario.name] = fault;
    }
  } finally {
    await network?.close();
  }
  const profile = options.profile && (await readProfile(profiles));
  return {
    report: { ...facts, sizes, figures, missing },
    ...(profile && { profile: hotspots(profile, since) }),
  };
}

/** Time limit of all scenarios together, ms. */
function timeLimit({ quick, minutes }: BenchOptions): number {
  if (minutes !== undefined) return minutes * 60_000;
  return quick ? QUICK_MS : TOTAL_MS;
}

async function openNetwork(
  { devnet, profile }: BenchOptions,
  profiles: string,
  report: Reporter,
  signal: AbortSignal,
): Promise<BenchNetwork> {
  if (devnet !== undefined) return BenchNetwork.connect(devnet, signal);
  report.line('starting a devnet: nats-server, a chain, 7 storage providers', { event: 'starting' });
  const profiled = profile && PROCESS_OF[profile];
  const nodeOptionsOf = (name: string) => (name === profiled ? profileOptions(profiles) : []);
  return BenchNetwork.start({ nodeOptionsOf }, signal);
}

interface RunOptions extends Pick<BenchOptions, 'quick' | 'runs'> {
  readonly sizes: Readonly<Record<string, number>>;
  readonly figures: readonly Figure[];
}

async function runScenario(
  scenario: Scenario,
  { quick, runs, sizes, figures }: RunOptions,
  network: BenchNetwork | undefined,
  report: Reporter,
  signal: AbortSignal,
): Promise<{ readonly measured: readonly Measurements[]; readonly fault?: string }> {
  const measured: Measurements[] = [];
  const times = runs ?? (quick ? scenario.runs.quick : scenario.runs.full);
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(SCENARIO_MS)]);
  // Each concurrent client adds a listener.
  setMaxListeners(0, bounded);
  const say = (lines: readonly string[]) =>
    report.line(lines, { event: 'said', scenario: scenario.name, lines });
  try {
    for (let run = 1; run <= times; run += 1) {
      throwIfAborted(bounded);
      report.line(`${scenario.name}, run ${run} of ${times}: ${scenario.title} (${sizesText(sizes)})`, {
        event: 'run',
        scenario: scenario.name,
        run,
      });
      measured.push(
        await runOnce(scenario, { sizes, figures, say, network: network as BenchNetwork, signal: bounded }),
      );
    }
    return { measured };
  } catch (thrown) {
    return { measured, fault: bounded.aborted ? 'the time was up' : toSealionError(thrown).message };
  }
}

function sizesText(sizes: Readonly<Record<string, number>>): string {
  return Object.entries(sizes)
    .map(([name, size]) => `${name} ${size}`)
    .join(', ');
}

/** Runs a scenario once, and stops the networks that it started; when the time is up, whatever it waits for. */
async function runOnce(scenario: Scenario, context: Omit<ScenarioContext, 'start'>): Promise<Measurements> {
  const own: BenchNetwork[] = [];
  const start = async (settings: NetworkSettings) => {
    const started = await BenchNetwork.start(settings, context.signal);
    own.push(started);
    return started;
  };
  try {
    return await orAborted(scenario.run({ ...context, start }), context.signal);
  } finally {
    for (const one of own) await one.close();
  }
}

function summaries(scenario: Scenario, measured: readonly Measurements[]): readonly Figure[] {
  return scenario.figures.flatMap((kind) => {
    const found = measured
      .map((run): Measurement | undefined => run[kind.name])
      .filter((one) => one !== undefined);
    return found.length > 0 ? [summarise(scenario.name, kind, found)] : [];
  });
}
