import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, Terminal, throwIfAborted } from '#protocols/errors';
import { endBy, endWithUs, keepEnd, processEnd } from '../processes/child.ts';
import { findNatsServer } from './binary.ts';

export interface NatsServerOptions {
  /** Configuration in nats-server's own language: accounts, max_payload, a jetstream block and so on. */
  readonly config?: string;
  /** Folder of the streams. By default a temporary folder, deleted when the server ends. */
  readonly storeDir?: string;
  /** Path of the program; what `findNatsServer` finds by default. */
  readonly binary?: string;
  /** By default a free port of the loopback interface. */
  readonly port?: number;
  /** Puts the server into a process group of its own, so that Ctrl-C in a terminal reaches only its owner. */
  readonly detached?: boolean;
  /** Cancels the start; a running server is ended by `stop`. */
  readonly signal?: AbortSignal;
}

/** A nats-server process with JetStream on the loopback interface. It does not outlive this process. */
export interface NatsServer {
  /** `nats://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly storeDir: string;
  /** Resolves when the process has ended for any reason, with the last lines of its log. */
  readonly ended: Promise<{ readonly log: string }>;
  /** Shuts the server down cleanly; resolves when it has ended. */
  stop(): Promise<void>;
  /** Kills the server, as a crash would (SIGKILL); resolves when it has ended. */
  kill(): Promise<void>;
}

const START_LIMIT_MS = 20_000;

/**
 * Starts a nats-server and waits until it accepts connections.
 * @throws Terminal `nats-server-missing`, `nats-server-failed` (with the end of its log: bad configuration, port in
 * use); Retryable `nats-server-slow`; Cancelled
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  throwIfAborted(options.signal);
  const binary = options.binary ?? (await findNatsServer());
  const folder = await mkdtemp(join(tmpdir(), 'sealion-nats-'));
  const storeDir = options.storeDir ?? join(folder, 'store');
  const configFile = join(folder, 'nats.conf');
  await writeFile(configFile, options.config ?? '', { mode: 0o600 });

  // Flags override the file, so that no text of the caller moves the server to another address or store.
  const flags = ['-c', configFile, '-a', '127.0.0.1', '-p', String(options.port ?? -1), '-js'];
  const child = spawn(binary, [...flags, '-sd', storeDir, '--ports_file_dir', folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: options.detached ?? false,
  });
  const watchdog = child.pid === undefined ? undefined : endWithUs(child.pid, folder, 'KILL');
  const log = keepEnd(child);
  const ended = processEnd(child)
    .then(() => rm(folder, { recursive: true, force: true }))
    .then(() => ({ log: log() }))
    .finally(() => watchdog?.kill('SIGKILL'));

  const settled = new AbortController();
  try {
    const port = await Promise.race([
      waitForPort(folder, AbortSignal.any([settled.signal, ...(options.signal ? [options.signal] : [])])),
      ended.then((end) => {
        throw new Terminal({
          code: 'nats-server-failed',
          message: `nats-server ended before it was ready: ${faults(end.log) || 'it left no log'}`,
          advice: 'Correct what the message names: an unknown setting, a port in use, or a store in use.',
        });
      }),
    ]);
    return {
      url: `nats://127.0.0.1:${port}`,
      port,
      pid: child.pid ?? 0,
      storeDir,
      ended,
      stop: () => endBy(child, 'SIGTERM', ended),
      kill: () => endBy(child, 'SIGKILL', ended),
    };
  } catch (error) {
    await endBy(child, 'SIGKILL', ended);
    throw error;
  } finally {
    settled.abort();
  }
}

/** Waits for the file in which the server reports its ports once it listens. */
async function waitForPort(folder: string, signal: AbortSignal): Promise<number> {
  const giveUpAt = performance.now() + START_LIMIT_MS;
  while (performance.now() < giveUpAt) {
    throwIfAborted(signal);
    const names = await readdir(folder).catch(() => []);
    const file = names.find((name) => name.endsWith('.ports'));
    const text = file ? await readFile(join(folder, file), 'utf8').catch(() => '') : '';
    const port = /nats:\/\/127\.0\.0\.1:(\d+)"/.exec(text)?.[1];
    if (port) return Number(port);
    await sleep(10);
  }
  throw new Retryable({
    code: 'nats-server-slow',
    message: `nats-server was not ready after ${START_LIMIT_MS / 1000} s.`,
    advice: 'A large store takes long to recover; start the server on its own and point the node at it.',
  });
}

/** The fatal lines of the log, without the banner; the whole log if there are none. */
function faults(log: string): string {
  const fatal = log.match(/(?<=\[(?:FTL|ERR)\] ).*/g);
  return fatal ? fatal.join('\n') : log.trim();
}
