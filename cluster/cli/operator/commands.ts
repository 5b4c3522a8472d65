import { type Command, InvalidArgumentError, Option } from 'commander';
import { toSealionError } from '#protocols/errors';
import { JOB_STATE_NAMES, type JobStateName } from '#protocols/job/states';
import type { ActionName } from '../../admin/actions/action.ts';
import type { Reporter } from '../reporter.ts';
import { DEVNET_FILE } from '../values.ts';
import { parseAdminUrl, TOKEN_VARIABLE, URL_VARIABLE } from './admin-url.ts';

/** What the API lists at most. */
const MAX_LISTED = 1_000;

/** Runs what a command does, with its reporter. */
export type Run = (
  options: { readonly json?: boolean },
  work: (report: Reporter, signal: AbortSignal) => Promise<void>,
) => Promise<void>;

export function spId(text: string): number {
  const id = Number(text);
  if (Number.isInteger(id) && id > 0) return id;
  throw new InvalidArgumentError('Expected the id of a storage provider, a whole number of at least 1.');
}

export function wholeNumber(text: string): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}

function listLimit(text: string): number {
  const limit = wholeNumber(text);
  if (limit <= MAX_LISTED) return limit;
  throw new InvalidArgumentError(`Expected at most ${MAX_LISTED}.`);
}

function adminUrl(text: string): string {
  try {
    return parseAdminUrl(text);
  } catch (thrown) {
    const { message, advice } = toSealionError(thrown);
    throw new InvalidArgumentError(`${message} ${advice}`);
  }
}

function states(text: string): readonly JobStateName[] {
  const names = text.toUpperCase().split(',');
  if (names.every((name): name is JobStateName => JOB_STATE_NAMES.some((one) => one === name))) return names;
  throw new InvalidArgumentError(`Expected states, separated by commas: ${JOB_STATE_NAMES.join(', ')}.`);
}

/** Adds the options that say which admin server is asked. */
export function addAdminOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--admin <url>', `admin server of any node (or ${URL_VARIABLE})`)
        .argParser(adminUrl)
        .conflicts(['network', 'sp']),
    )
    .option('--token-file <file>', `file with the token for it (or ${TOKEN_VARIABLE}, the token itself)`)
    .option(
      '--network <file>',
      `file that describes the network, without --admin (default: "${DEVNET_FILE}")`,
    )
    .option('--sp <id>', 'a storage provider of that network (default: the first)', spId)
    .option('--json', 'one JSON object per line, for machines');
}

/** What is done to what, by which word. */
const ACTS: readonly (readonly [usage: string, action: ActionName, description: string])[] = [
  ['retry <job>', 'retry', 'Try a job again now instead of at its next try.'],
  ['reject <job>', 'reject', 'Give a job up, and have its object rejected on chain.'],
  ['repair <job>', 'repair', 'Verify what the provider stores of a sealed object, and restore what is lost.'],
  [
    'drain <node>',
    'drain',
    'Let a node take no more work, for example before it is stopped; what is in progress continues.',
  ],
  ['undrain <node>', 'undrain', 'Let a drained node take work again.'],
  ['pause <node>', 'pause-intake', 'Let a node refuse new uploads, also after a restart.'],
  ['resume <node>', 'resume-intake', 'Let a paused node accept uploads again.'],
  ['ban <sp>', 'ban-peer', 'Store nothing at another provider, and nothing of it, for a time.'],
  ['unban <sp>', 'unban-peer', 'End the ban of another provider.'],
  [
    'forget <node>',
    'forget-node',
    'Take a node that will not come back off the list of those that do not answer.',
  ],
];

const HELP: Readonly<Record<string, string>> = {
  job: `
A job is given by its id (4711.0), the id of its object, or bucket/object.`,
  node: `
A node is given by its name: a, or sp-1@a as "sealion nodes" shows it.`,
  sp: `
A provider is given by its id, as "sealion peers" shows it.`,
};

/** Loaded by those that need it: a shell that completes a word should not wait for it. */
const show = () => import('./show.ts');

/** The commands for operators: what the admin server of a node shows and does. */
export function addOperatorCommands(program: Command, run: Run): void {
  const add = (usage: string, description: string) =>
    addAdminOptions(
      program
        .command(usage)
        .description(description)
        .showHelpAfterError(`(see sealion ${usage.split(' ', 1)[0]} --help)`),
    );

  add('nodes', 'Show what each node of a provider says of itself, and which do not answer.').action(
    (options) => run(options, async (report, signal) => (await show()).nodes(options, report, signal)),
  );
  add('jobs [text]', 'List the newest jobs, or those that an id, a name, an SP or an error code means.')
    .option('--state <states>', 'only jobs in these states, separated by commas', states)
    .option('--open', 'only jobs that have not ended')
    .option('--limit <n>', 'maximum number of jobs, up to 1000', listLimit, 100)
    .action((text, options) =>
      run(options, async (report, signal) => (await show()).jobs(text, options, report, signal)),
    );
  add('job <job>', 'Show why an object is not sealed, and all that is known of its job.')
    .addHelpText('after', HELP.job ?? '')
    .action((text, options) =>
      run(options, async (report, signal) => (await show()).job(text, options, report, signal)),
    );
  add('peers', 'Show other providers: approvals, columns and failures.').action((options) =>
    run(options, async (report, signal) => (await show()).peers(options, report, signal)),
  );
  add('audit', 'Show what operators have done, the newest first.')
    .option('--limit <n>', 'maximum number of actions, up to 1000', listLimit, 100)
    .action((options) =>
      run(options, async (report, signal) => (await show()).audit(options, report, signal)),
    );
  add('watch', 'Show nodes, queue and open jobs live, on the whole screen; without a terminal, print them.')
    .option('--tree', 'the actors instead of the jobs')
    .option('--interval <s>', 'seconds between two looks', wholeNumber, 2)
    .action((options) =>
      run(options, async (report, signal) => (await import('./watch.ts')).watch(options, report, signal)),
    );

  for (const [usage, action, description] of ACTS) {
    const command = add(usage, description)
      .option('--reason <text>', 'for the record')
      .option('--yes', 'do not ask; needed where there is no terminal')
      .action((target, options) =>
        run(options, async (report, signal) =>
          (await import('./act.ts')).act(action, target, options, report, signal),
        ),
      );
    const [, what = ''] = /<(\w+)>/.exec(usage) ?? [];
    command.addHelpText('after', HELP[what] ?? '');
    if (action === 'ban-peer') command.option('--minutes <n>', 'how long', wholeNumber, 60);
  }
}
