#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { Argument, Command, Option } from 'commander';
import { ExitCode, runCommand } from './command.ts';
import { completionScript, SHELLS } from './completion.ts';
import { adminUrlOf } from './operator/admin-url.ts';
import { addAdminOptions, addOperatorCommands, spId, wholeNumber } from './operator/commands.ts';
import { createReporter, type Reporter } from './reporter.ts';
import { DEFAULT_BUCKET, DEVNET_FILE, STANDARD_STREAM, VISIBILITIES } from './values.ts';

/** @param options `out`: stream for results, standard output by default */
function run(
  options: { readonly json?: boolean; readonly out?: NodeJS.WriteStream },
  work: (report: Reporter, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const report = createReporter(options);
  return runCommand(report, (signal) => work(report, signal));
}

/** A command that talks to a network. */
function clientCommand(usage: string, description: string): Command {
  return program
    .command(usage)
    .description(description)
    .showHelpAfterError(`(see sealion ${usage.split(' ', 1)[0]} --help)`)
    .option('--network <file>', 'file that describes the network', DEVNET_FILE)
    .option('--json', 'one JSON object per line, for machines');
}

const program = new Command('sealion')
  .description('Upload path of a Greenfield storage provider: run it, use it, inspect it.')
  .enablePositionalOptions()
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : ExitCode.USAGE))
  .addHelpText(
    'after',
    `
Exit codes:
  0    done
  1    failed; something has to be corrected first
  2    wrong arguments
  75   temporary failure; run the same command again to continue where it stopped
  130  stopped by Ctrl-C; other signals: 128 plus their number`,
  )
  .showHelpAfterError('(see sealion --help)');

program.commandsGroup('Upload and download:');

clientCommand(
  'put <file...>',
  'Create an object on chain for each file, upload it, and wait until it is sealed.',
)
  .usage('[options] <file|folder|->... [bucket/object | bucket/prefix/]')
  .option('--sp <id>', 'storage provider of a new bucket (default: the first)', spId)
  .addOption(
    new Option('--redundancy <type>', 'how secondaries store the objects')
      .choices(['EC', 'REPLICA'])
      .default('EC'),
  )
  .option('--content-type <type>', 'media type of the objects (default: guessed from the name)')
  .addOption(
    new Option('--visibility <who>', 'who may read the objects')
      .choices(Object.keys(VISIBILITIES))
      .default('inherit'),
  )
  .option('--no-wait', 'return when the provider has the payload, before the seal')
  .addHelpText(
    'after',
    `
Examples:
  sealion put report.pdf my-bucket/report       one file under a name of its own
  sealion put report.pdf my-bucket/2026/        becomes 2026/report.pdf
  sealion put photos a.txt my-bucket/2026/      becomes 2026/photos/… and 2026/a.txt
  tar c src | sealion put - my-bucket/src.tar   "-" is standard input

A bucket that does not exist is created. A file or folder without a name goes to the bucket "${DEFAULT_BUCKET}".
To continue an interrupted upload, run the same command again.`,
  )
  .action((args, options) =>
    run(options, async (report, signal) => (await import('./put.ts')).put(args, options, report, signal)),
  );

clientCommand(
  'get <bucket/object> [file]',
  'Download an object; the file appears when every byte has arrived and has been verified.',
)
  .usage('[options] <bucket/object> [file | folder | -]')
  .addHelpText(
    'after',
    `
Without a file, or with a folder, the file is named after the last part of the object's name. "-" is standard output;
messages then go to standard error. To continue an interrupted download from FILE.part, run the same command again.`,
  )
  .action((name, file, options) =>
    run({ ...options, ...(file === STANDARD_STREAM && { out: process.stderr }) }, async (report, signal) =>
      (await import('./get.ts')).get(name, file, options, report, signal),
    ),
  );

clientCommand('ls [bucket/prefix]', 'List your buckets, or the objects of a bucket.')
  .usage('[options] [bucket | bucket/prefix]')
  .option('--limit <n>', 'maximum number of buckets or objects to read from the chain', wholeNumber, 100_000)
  .addHelpText(
    'after',
    `
Without a name, this lists the buckets of the account, newest first. With a prefix after the slash, only objects whose
names begin with it are shown. Each object is shown with its size, its state, the time of its last change, who may
read it, and its name. If the chain has more than --limit, the entries read so far are shown, and the exit code is 1.`,
  )
  .action((name, options) =>
    run(options, async (report, signal) => (await import('./ls.ts')).ls(name, options, report, signal)),
  );

clientCommand('status <bucket/object>', 'Show what the chain and the primary say about an object.').action(
  (name, options) =>
    run(options, async (report, signal) =>
      (await import('./status.ts')).status(name, options, report, signal),
    ),
);

addAdminOptions(
  program
    .command('verify <bucket/object>')
    .description(
      'Let every provider that holds a part of an object compare it with the chain. Fails if anything is missing or damaged.',
    )
    .showHelpAfterError('(see sealion verify --help)'),
)
  .option('--repair', 'restore what is lost or damaged')
  .option('--reason <text>', 'for the record, with --admin')
  .option('--yes', 'with --admin: do not ask; needed where there is no terminal')
  .addHelpText(
    'after',
    `
With --admin it needs --repair, and only the provider of that admin server verifies and repairs what it stores.`,
  )
  .action((name, options, command: Command) => {
    const isForOne = adminUrlOf(options) !== undefined;
    if (isForOne && !options.repair) command.error('error: with an admin server, verify needs --repair');
    return run(options, async (report, signal) =>
      isForOne
        ? (await import('./operator/act.ts')).act('repair', name, options, report, signal)
        : (await import('./verify.ts')).verify(name, options, report, signal),
    );
  });

program.commandsGroup('See what a provider does, and act, through the admin server of any of its nodes:');

addAdminOptions(
  program
    .command('tree')
    .description('Show what every actor is doing, what it is waiting for, and when it will try again.')
    .showHelpAfterError('(see sealion tree --help)'),
)
  .option('--watch', 'repeat every second until Ctrl-C')
  .addHelpText(
    'after',
    `
Without --admin and --sp it shows all storage providers of the network.`,
  )
  .action((options) =>
    run(options, async (report, signal) => (await import('./tree.ts')).tree(options, report, signal)),
  );

addOperatorCommands(program, run);

addAdminOptions(
  program
    .command('space')
    .description(
      'Show how the store of a provider differs from what the chain needs, and what will be deleted.',
    )
    .showHelpAfterError('(see sealion space --help)'),
)
  .addHelpText(
    'after',
    `
Without --admin and --sp it shows all storage providers of the network.`,
  )
  .action((options) =>
    run(options, async (report, signal) => (await import('./space.ts')).space(options, report, signal)),
  );

program.commandsGroup('Run it:');

program
  .command('journal')
  .description('Look after the journal of a node that does not run.')
  .command('move')
  .description('Move the level journal to JetStream, where the nodes of a storage provider share it.')
  .requiredOption('--config <file>', 'configuration of the node')
  .option('--json', 'one JSON object per line, for machines')
  .action((options) =>
    run(options, async (report, signal) =>
      (await import('./journal-move.ts')).journalMove(options, report, signal),
    ),
  );

/** Separate programs with their own flags: they parse the arguments after their name. */
const PROGRAMS = {
  devnet: 'Run a whole network on this machine until Ctrl-C: a chain and storage providers.',
  node: 'Run one node of a storage provider until SIGINT or SIGTERM.',
} as const;

for (const [name, description] of Object.entries(PROGRAMS)) {
  program
    .command(name)
    .description(description)
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (_options, command: Command) => {
      const program = new URL(`../${name}/main.js`, import.meta.url);
      process.argv = [process.execPath, fileURLToPath(program), ...command.args];
      await import(program.href);
    });
}

program
  .command('completion')
  .description('Print the script with which a shell completes the words of this program.')
  .addArgument(new Argument('<shell>').choices(SHELLS))
  .addHelpText(
    'after',
    `
  bash  source <(sealion completion bash)
  zsh   source <(sealion completion zsh)
  fish  sealion completion fish | source`,
  )
  .action((shell) => void process.stdout.write(completionScript(program, shell)));

await program.parseAsync();
