#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { Cancelled, toSealionError } from '../../protocols/errors.ts';
import { get } from './get.ts';
import { DEVNET_FILE } from './network.ts';
import { put } from './put.ts';
import { createReporter, type Reporter } from './reporter.ts';
import { status } from './status.ts';
import { tree } from './tree.ts';

/** Runs one command to its end; its failure is said in one line and makes the exit code 1. */
async function run(
  command: Command,
  work: (report: Reporter, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const report = createReporter({ json: command.optsWithGlobals().json === true });
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new Cancelled({ code: 'interrupted', message: 'Interrupted.' })));
  try {
    await work(report, stop.signal);
  } catch (error) {
    report.failure(toSealionError(error));
    process.exitCode = 1;
  }
}

function spId(text: string): number {
  const id = Number(text);
  if (Number.isInteger(id) && id > 0) return id;
  throw new InvalidArgumentError('Give the id of a storage provider, a whole number from 1.');
}

const network = () =>
  new Option('--network <file>', 'description of the network to talk to').default(DEVNET_FILE);

const program = new Command('sealion')
  .description('Upload path of a Greenfield storage provider: run it, talk to it, look into it.')
  .option('--json', 'one JSON object a line, for machines')
  .enablePositionalOptions()
  .showHelpAfterError('(sealion --help shows what there is)');

program
  .command('put <file> [bucket/object]')
  .description('Create an object on chain for a file, upload it, and wait until it is sealed.')
  .addOption(network())
  .option('--sp <id>', 'storage provider of a new bucket (default: the first)', spId)
  .addOption(
    new Option('--redundancy <type>', 'how secondaries hold it').choices(['EC', 'REPLICA']).default('EC'),
  )
  .option('--content-type <type>', 'media type of the object')
  .option('--no-wait', 'return when the provider has the payload, before the seal')
  .action((file, name, options, command) =>
    run(command, (report, signal) => put(file, name, options, report, signal)),
  );

program
  .command('get <bucket/object> <file>')
  .description('Download an object; the file appears when every byte has arrived.')
  .addOption(network())
  .action((name, file, options, command) =>
    run(command, (report, signal) => get(name, file, options, report, signal)),
  );

program
  .command('status <bucket/object>')
  .description('Show what the chain and the primary say of an object.')
  .addOption(network())
  .action((name, options, command) =>
    run(command, (report, signal) => status(name, options, report, signal)),
  );

program
  .command('tree')
  .description('Show what every actor is doing, what it waits for, and when it will try again.')
  .addOption(network())
  .option('--sp <id>', 'only this storage provider', spId)
  .option('--watch', 'again every second, until Ctrl-C')
  .action((options, command) => run(command, (report, signal) => tree(options, report, signal)));

/** Programs of their own, with flags of their own: they read what stands behind their name. */
const PROGRAMS = {
  devnet: 'Run a whole network on this machine until Ctrl-C: a chain and storage providers.',
  node: 'Run one node of a storage provider until it is told to stop.',
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

await program.parseAsync();
