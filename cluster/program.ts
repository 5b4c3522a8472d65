import { Cancelled, toSealionError } from '#protocols/errors';
import type { Logger } from '#runtime/telemetry/logger';
import { printableLines } from '#runtime/telemetry/printable';

/** What a program does until it is asked to stop. */
export interface Service {
  stop(): Promise<void>;
}

/** After a stop, what still keeps the process alive is cut off. */
const LINGER_LIMIT_MS = 2_000;

/**
 * Runs a program's service as the main part of its process. SIGINT, SIGTERM and the loss of a parent's IPC channel
 * stop it in order, also while it starts; a second signal ends the process at once. A rejection that nobody handles
 * is a bug: it is logged, and the process ends with 1.
 */
export async function runProgram(
  start: (signal: AbortSignal) => Promise<Service>,
  log: Logger,
): Promise<void> {
  const asked = endOfProcess(log);
  // Whoever read what we write has gone: no reason for us to go.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  failOnBugs(log);
  try {
    const service = await start(asked);
    await aborted(asked);
    await service.stop();
  } catch (thrown) {
    const error = toSealionError(thrown);
    if (!(error instanceof Cancelled && asked.aborted)) {
      if (error.code === 'unexpected') log.error({ error }, 'failed for an unknown reason');
      else
        process.stderr.write(`${printableLines([error.message, error.advice].filter(Boolean).join('\n'))}\n`);
      process.exitCode = 1;
    }
  }
  setTimeout(() => {
    log.warn({ active: process.getActiveResourcesInfo() }, 'something keeps the process from ending');
    process.exit();
  }, LINGER_LIMIT_MS).unref();
}

/** Fires when the process is asked to end. */
function endOfProcess(log: Logger): AbortSignal {
  const asked = new AbortController();
  const end = (why: string) => {
    if (asked.signal.aborted) {
      log.warn({ why }, 'asked to stop again: ending at once');
      process.exit(130);
    }
    log.info({ why }, 'asked to stop');
    asked.abort(new Cancelled({ code: 'stopped', message: `The process was asked to stop (${why}).` }));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  process.once('disconnect', () => end('the parent process is gone'));
  process.channel?.unref();
  return asked.signal;
}

function failOnBugs(log: Logger): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (thrown: unknown) => {
      log.error({ error: thrown, event }, 'a bug has ended the process');
      process.exit(1);
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
