/**
 * `npm run demo [-- FILE]`: a devnet, one file from PUT to SEALED and back, and everything stopped again. With
 * `--nodes 3` one of three nodes is killed in between.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Terminal } from '#protocols/errors';
import { findCurrentNatsServer } from '#runtime/nats/binary';
import { createLogger } from '#runtime/telemetry/logger';
import { runCommand } from '../cli/command.ts';
import { createReporter, type Reporter } from '../cli/reporter.ts';
import { duration, exactSize } from '../cli/units.ts';
import { sizeOfFile } from '../client/file.ts';
import { startDevnet } from '../devnet/devnet.ts';
import { runDemo } from './demo.ts';
import { writeSample } from './sample.ts';

/** Size of the sample: two whole segments and a short one. */
const SAMPLE_BYTES = 40 * 2 ** 20;

interface DemoFlags {
  readonly nodes: number;
  readonly ackWait: number;
  readonly json?: boolean;
}

const command = new Command('npm run demo --')
  .description('Start a network, upload one file, wait for its seal, and download it again.')
  .argument('[file]', 'file to upload (default: a generated one of 40 MiB)')
  .option('--nodes <n>', 'nodes of the primary; of several, one is killed before the seal', wholeNumber, 1)
  .option(
    '--ack-wait <ms>',
    'with several nodes: how long a node may be silent before it loses its jobs (timing.ackWaitMs)',
    wholeNumber,
    10_000,
  )
  .option('--json', 'one JSON object per line, for machines')
  .parse();
const options = command.opts<DemoFlags>();
const report = createReporter(options);
await runCommand(report, (signal) => main(command.args[0], options, report, signal));

async function main(
  given: string | undefined,
  { nodes, ackWait }: DemoFlags,
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  if (given !== undefined) await checkFile(given);
  const directory = await mkdtemp(join(tmpdir(), 'sealion-demo-'));
  try {
    const file = given ?? join(directory, 'sample.bin');
    if (given === undefined) await writeSample(file, SAMPLE_BYTES);
    report.line(`${file}: ${exactSize(await sizeOfFile(file))}`, { event: 'file', file });
    const started = Date.now();
    const several = nodes > 1 ? `, the first with ${nodes} nodes and PostgreSQL` : '';
    report.line(`starting a devnet: nats-server, a chain, 7 storage providers${several}`, {
      event: 'starting',
      nodes,
    });
    const log = createLogger({ level: 'warn' });
    const current = await findCurrentNatsServer();
    const devnet = await startDevnet({
      directory: join(directory, 'devnet'),
      nodes,
      nodeOf: (spId) => (spId === 1 && nodes > 1 ? { timing: { ackWaitMs: ackWait } } : {}),
      ...(current !== undefined && { server: { binary: current, syncAlways: true } }),
      log,
      signal,
    });
    try {
      report.line(`the devnet is ready after ${duration(Date.now() - started)}`, { event: 'started' });
      await runDemo({ devnet, file, directory, report, signal });
    } finally {
      await devnet.stop();
      report.line(['', 'everything has stopped'], { event: 'stopped' });
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function checkFile(file: string): Promise<void> {
  if ((await sizeOfFile(file)) > 0) return;
  throw new Terminal({
    code: 'empty-file',
    message: `${file} is empty: the chain seals an empty object when it is created, so there is nothing to show.`,
    advice: 'Give a file with at least one byte.',
  });
}

function wholeNumber(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number of at least 1.');
}
