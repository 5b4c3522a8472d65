import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { PROFILE_ROLES, type ProfileRole } from './profile.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/all.ts';

/** What `npm run bench` was asked for. */
export interface BenchOptions {
  readonly only: readonly Scenario[];
  readonly quick: boolean;
  readonly runs: number | undefined;
  /** Measure for no longer; what was measured until then is reported. */
  readonly minutes: number | undefined;
  /** By `<scenario>.<size>`. */
  readonly set: ReadonlyMap<string, number>;
  readonly devnet: string | undefined;
  readonly json: string;
  readonly compare: string | undefined;
  readonly maxLoss: number | undefined;
  /** Folder for the plots. */
  readonly plots: string | undefined;
  readonly profile: ProfileRole | undefined;
}

/** Reads the command line; a fault in it ends the process with a message, as commander does. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const flags = new Command('npm run bench --')
    .description('Measures a network, every figure beside a floor in the same run.')
    .option(
      '--only <names>',
      `scenarios, with commas between: ${SCENARIOS.map(({ name }) => name).join(', ')}`,
      scenarios,
      SCENARIOS,
    )
    .option('--quick', 'smaller and fewer, in two minutes at most', false)
    .option('--minutes <n>', 'measure for no longer, and report what was measured until then', wholeNumber)
    .option('--runs <n>', 'how often each scenario is run (default: 5 where that is cheap)', wholeNumber)
    .option(
      '--set <scenario.size=n>',
      'change a size, for example small.objects=200; may be repeated',
      size,
      new Map(),
    )
    .option('--devnet <file>', 'a devnet.json: measure that network instead of a devnet of its own')
    .option('--json <file>', 'where the report goes (default: .cache/bench/<time>.json)')
    .option('--compare <file>', 'an earlier report: show what has become better or worse')
    .option('--max-loss <share>', 'with --compare: fail if a figure is worse by more, for example 0.1', share)
    .option('--plots <folder>', 'draw what cost and load have measured, as SVG')
    .addOption(
      new Option(
        '--profile <role>',
        'profile the CPU of one process of the devnet, and show what takes the time',
      )
        .choices(PROFILE_ROLES)
        .conflicts('devnet'),
    )
    .parse(args, { from: 'user' })
    .opts<Omit<BenchOptions, 'json'> & { readonly json?: string }>();
  const stamp = new Date().toISOString().replaceAll(':', '').slice(0, 17);
  return { ...flags, json: flags.json ?? join('.cache', 'bench', `${stamp}.json`) };
}

/** The sizes that a scenario is run with, where `set` changes some. */
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
    throw new InvalidArgumentError(`There is no scenario "${name}".`);
  });
}

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

function size(text: string, earlier: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const [, scenario = '', name = '', number, unit = ''] =
    /^(\w+)\.(\w+)=(\d{1,15})(KiB|MiB|GiB)?$/.exec(text) ?? [];
  if (!SCENARIOS.some((one) => one.name === scenario && name in one.sizes)) {
    const known = SCENARIOS.flatMap((one) => Object.keys(one.sizes).map((each) => `${one.name}.${each}`));
    throw new InvalidArgumentError(`Write for example small.objects=200; the sizes are ${known.join(', ')}.`);
  }
  return new Map([...earlier, [`${scenario}.${name}`, Number(number) * (UNITS[unit] ?? 1)]]);
}

function wholeNumber(text: string): number {
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number from 1.');
}

function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('Give a number between 0 and 1.');
}
