import { constants } from 'node:os';
import { Cancelled, toSealionError } from '#protocols/errors';
import type { Reporter } from './reporter.ts';

/**
 * Does a command's work to its end. What it throws becomes one line and exit code 1. SIGINT and SIGTERM stop it in
 * order, and so does the end of whoever reads its output; the exit code is then 128 and the signal's number, as
 * shells have it. A second signal ends the process at once.
 */
export async function runCommand(
  report: Reporter,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  let stoppedBy: NodeJS.Signals | undefined;
  const stopBy = (name: NodeJS.Signals) => {
    stoppedBy ??= name;
    stop.abort(new Cancelled({ code: 'interrupted', message: `Stopped by ${name}.` }));
  };
  process.once('SIGINT', stopBy);
  process.once('SIGTERM', stopBy);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    stopBy('SIGPIPE');
  });
  try {
    await work(stop.signal);
  } catch (thrown) {
    if (stoppedBy !== 'SIGPIPE') report.failure(toSealionError(stop.signal.reason ?? thrown));
    process.exitCode = stoppedBy ? 128 + constants.signals[stoppedBy] : 1;
  }
}
