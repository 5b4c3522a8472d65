/** `npm run bench`: measures a network and prints a table of figures, each next to its floor from the same run. */
import { Terminal } from '#protocols/errors';
import { runCommand } from '../cli/command.ts';
import { createReporter } from '../cli/reporter.ts';
import { runBench } from './bench.ts';
import { compare, comparisonTable, losses } from './compare.ts';
import { type BenchOptions, parseOptions } from './options.ts';
import { writePlots } from './plots.ts';
import { type Hotspots, hotspotTables } from './profile.ts';
import { type BenchReport, readReport, writeReport } from './report.ts';
import { figureTable } from './table.ts';

const options = parseOptions(process.argv.slice(2));
const report = createReporter();
await runCommand(report, (signal) => main(options, signal));

async function main(asked: BenchOptions, signal: AbortSignal): Promise<void> {
  const earlier = asked.compare === undefined ? undefined : await readReport(asked.compare);
  const { report: result, profile } = await runBench(asked, report, signal);
  await writeReport(asked.json, result);
  show(result, asked.json);
  if (asked.plots !== undefined) {
    const written = await writePlots(asked.plots, result.figures);
    report.line(
      written.map((path) => `drawn: ${path}`),
      { event: 'drawn', written },
    );
  }
  if (profile) showProfile(profile);
  if (!earlier) return;
  const changes = compare(earlier, result.figures);
  report.line(['', ...comparisonTable(changes)], { event: 'compared' });
  const lost = asked.maxLoss === undefined ? [] : losses(changes, asked.maxLoss);
  if (lost.length > 0) {
    throw new Terminal({
      code: 'bench-loss',
      message: `Worse by more than ${asked.maxLoss}: ${lost.map(({ name }) => name).join(', ')}.`,
      advice: 'Run it again: a busy machine is slower. A figure that stays worse is a regression.',
    });
  }
}

function showProfile(profile: Hotspots): void {
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  const title = `the ${options.profile} was busy for ${seconds(profile.busyMs)} s and idle for ${seconds(profile.idleMs)} s`;
  report.line(['', title, '', ...hotspotTables(profile)], { event: 'profiled' });
}

function show({ figures, missing, machine }: BenchReport, path: string): void {
  const { cores, cpu, load } = machine;
  report.line(
    [
      '',
      ...figureTable(figures),
      '',
      ...Object.entries(missing).map(([name, why]) => `${name} was not measured to the end: ${why}`),
      `${cores} cores (${cpu}), load ${load.toFixed(1)} at the begin; the report is in ${path}`,
    ],
    { event: 'measured' },
  );
}
