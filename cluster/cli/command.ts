import { constants } from 'node:os';
import { Cancelled, Retryable, toSealionError } from '#protocols/errors';
import type { Reporter } from './reporter.ts';

/** Exit codes of a command that fails. One that is stopped by a signal exits with 128 plus the signal's number. */
export const ExitCode = {
  /** A final error: something must be corrected before another try can succeed. */
  FAILED: 1,
  /** Invalid arguments; nothing was done. */
  USAGE: 2,
  /** A temporary failure; the same command, run again, continues where this one stopped. */
  TRY_AGAIN: 75,
} as const;

/**
 * Runs a command. An error becomes one line and an exit code. SIGINT, SIGTERM and a closed output stop it cleanly;
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
    const error = toSealionError(stop.signal.reason ?? thrown);
    if (stoppedBy !== 'SIGPIPE') report.failure(error);
    const failed = error instanceof Retryable ? ExitCode.TRY_AGAIN : ExitCode.FAILED;
    process.exitCode = stoppedBy ? 128 + constants.signals[stoppedBy] : failed;
  }
}
