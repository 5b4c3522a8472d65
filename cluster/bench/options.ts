import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { PROFILE_ROLES, type ProfileRole } from './profile.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/all.ts';

/** Options of `npm run bench`. */
export interface BenchOptions {
  readonly only: readonly Scenario[];
  readonly quick: boolean;
  readonly runs: number | undefined;
  /** Time limit; the report then has what was measured so far. */
  readonly minutes: number | undefined;
  /** Changed sizes, by `<scenario>.<size>`. */
  readonly set: ReadonlyMap<string, number>;
  readonly devnet: string | undefined;
  readonly json: string;
  readonly compare: string | undefined;
  readonly maxLoss: number | undefined;
  /** Folder for the plots. */
  readonly plots: string | undefined;
  readonly profile: ProfileRole | undefined;
}

/** Parses the command line. On an error commander prints a message and ends the process. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const flags = new Command('npm run bench --')
    .description(
      'Measure a network. Each figure is compared with a floor: the plain cost of the same work in the same run.',
    )
    .addOption(
      new Option(
        '--only <names>',
        `scenarios, separated by commas: ${SCENARIOS.map(({ name }) => name).join(', ')}`,
      )
        .argParser(scenarios)
        .default(SCENARIOS, 'all'),
    )
    .option('--quick', 'smaller sizes and fewer runs, for at most two minutes')
    .option('--minutes <n>', 'stop after this time, and report the measurements so far', wholeNumber)
    .option('--runs <n>', 'number of runs of each scenario (default: 5 if they are short)', wholeNumber)
    .addOption(
      new Option('--set <scenario.size=n>', 'change a size, for example small.objects=200; may be repeated')
        .argParser(size)
        .default(new Map(), 'none'),
    )
    .option('--devnet <file>', 'measure the network of this devnet.json, instead of starting one')
    .option('--json <file>', 'file for the report (default: .cache/bench/<time>.json)')
    .option('--compare <file>', 'show what has become better or worse since this earlier report')
    .option(
      '--max-loss <share>',
      'with --compare: fail if a figure is worse by more than this, for example 0.1',
      share,
    )
    .option('--plots <folder>', 'draw the results of cost and load as SVG')
    .addOption(
      new Option(
        '--profile <role>',
        'profile the CPU of one process of the devnet, and show where the time goes',
      )
        .choices(PROFILE_ROLES)
        .conflicts('devnet'),
    )
    .parse(args, { from: 'user' })
    .opts<Omit<BenchOptions, 'json' | 'quick'> & { readonly json?: string; readonly quick?: true }>();
  const stamp = new Date().toISOString().replaceAll(':', '').slice(0, 17);
  return {
    ...flags,
    quick: flags.quick === true,
    json: flags.json ?? join('.cache', 'bench', `${stamp}.json`),
  };
}

/** The sizes of a scenario, as changed by `set`. */
export function sizesOf(scenario: Scenario, { quick, set }: Pick<BenchOptions, 'quick' | 'set'>) {
  return Object.fromEntries(
    Object.entries(scenario.sizes).map(([name, size]) => [
      name,
      set.get(`${scenario.name}.${name}`) ?? (quick ? size.quick : size.full),
    ]),
  );
}

function scenarios(text: string): readonly Scenario[] {
  return text.split(',').map((name) => {
    const found = SCENARIOS.find((one) => one.name === name.trim());
    if (found) return found;
    const known = SCENARIOS.map((one) => one.name).join(', ');
    throw new InvalidArgumentError(`Unknown scenario "${name}"; the scenarios are ${known}.`);
  });
}

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

function size(text: string, earlier: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const [, scenario = '', name = '', number, unit = ''] =
    /^(\w+)\.(\w+)=(\d{1,15})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  if (!SCENARIOS.some((one) => one.name === scenario && name in one.sizes)) {
    const known = SCENARIOS.flatMap((one) => Object.keys(one.sizes).map((each) => `${one.name}.${each}`));
    throw new InvalidArgumentError(
      `Expected for example small.objects=200; the sizes are ${known.join(', ')}.`,
    );
  }
  return new Map([...earlier, [`${scenario}.${name}`, Number(number) * (UNITS[unit] ?? 1)]]);
}

function wholeNumber(text: string): number {
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}

function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('Expected a number between 0 and 1.');
}
