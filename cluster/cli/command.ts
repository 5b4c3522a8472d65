import { constants } from 'node:os';
import { Cancelled, toSealionError } from '#protocols/errors';
import type { Reporter } from './reporter.ts';

/**
 * Runs a command. An error becomes one line and exit code 1. SIGINT, SIGTERM and a closed output stop it cleanly;
 * the exit code is then 128 plus the signal's number, as in shells. A second signal ends the process at once.
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
