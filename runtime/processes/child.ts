import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/*
 * Servers that are started as processes of ours: nats-server and PostgreSQL, for devnets and tests.
 */

const STOP_LIMIT_MS = 10_000;
const LOG_KEPT = 16_384;

/**
 * A shell that waits for the end of its input, which comes with the end of this process, even by SIGKILL, and then
 * ends the server and removes its folder.
 * @param how signal that ends the server at once, together with its own processes
 */
export function endWithUs(pid: number, folder: string | undefined, how: 'KILL' | 'QUIT'): ChildProcess {
  const script = 'read _; kill -"$0" "$1"; if [ -n "$2" ]; then rm -rf -- "$2"; fi';
  const shell = spawn('/bin/sh', ['-c', script, how, String(pid), folder ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', () => undefined).unref();
  return shell;
}

/** Resolves when the process is gone, or never was because it could not be started. */
export async function processEnd(child: ChildProcess): Promise<void> {
  await once(child, 'close').catch(() => undefined);
}

/** Sends the signal, and SIGKILL to a process that has not ended 10 s later. */
export async function endBy(
  child: ChildProcess,
  how: NodeJS.Signals,
  ended: Promise<unknown>,
): Promise<void> {
  child.kill(how);
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(force);
}

/** The last 16 KiB of what a process has written to its standard error. */
export function keepEnd(child: ChildProcess): () => string {
  let kept = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    kept = (kept + text).slice(-LOG_KEPT);
  });
  return () => kept;
}
