/** `npm run demo [-- FILE]`: a devnet, one file from PUT to SEALED and back, and everything stopped again. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cancelled, toSealionError } from '../../protocols/errors.ts';
import { createLogger } from '../../runtime/telemetry/logger.ts';
import { createReporter } from '../cli/reporter.ts';
import { duration, size } from '../cli/units.ts';
import { startDevnet } from '../devnet/devnet.ts';
import { runDemo } from './demo.ts';
import { writeSample } from './sample.ts';

/** Two whole segments and a short one. */
const SAMPLE_BYTES = 40 * 2 ** 20;

async function main(args: readonly string[], signal: AbortSignal): Promise<void> {
  const report = createReporter({ json: args.includes('--json') });
  const [given] = args.filter((arg) => !arg.startsWith('--'));
  const directory = await mkdtemp(join(tmpdir(), 'sealion-demo-'));
  try {
    const file = given ?? join(directory, 'sample.bin');
    if (given === undefined) await writeSample(file, SAMPLE_BYTES);
    report.line(`${file}: ${size((await stat(file)).size)}`, { event: 'file', file });
    const started = Date.now();
    report.line('starting a devnet: nats-server, a chain, 7 storage providers', { event: 'starting' });
    const log = createLogger({ level: 'warn' });
    const devnet = await startDevnet({ directory: join(directory, 'devnet'), log, signal });
    try {
      report.line(`the devnet serves after ${duration(Date.now() - started)}`, { event: 'started' });
      await runDemo({ devnet, file, directory, report, signal });
    } finally {
      await devnet.stop();
      report.line('\neverything is stopped', { event: 'stopped' });
    }
  } catch (error) {
    report.failure(toSealionError(error));
    process.exitCode = 1;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () =>
    stop.abort(new Cancelled({ code: 'interrupted', message: `Stopped by ${name}.` })),
  );
}
await main(process.argv.slice(2), stop.signal);
