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
  /** Where streams are kept. Without it a temporary folder, which goes when the server ends. */
  readonly storeDir?: string;
  /** A free one of the loopback interface by default. */
  readonly port?: number;
  /** Puts the server into a process group of its own, so that ^C in a terminal reaches only its owner. */
  readonly detached?: boolean;
  /** Gives up the start; a server that runs is ended by `stop`. */
  readonly signal?: AbortSignal;
}

/** A nats-server process of ours, with JetStream, on the loopback interface. It does not outlive this process. */
export interface NatsServer {
  /** `nats://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly storeDir: string;
  /** Resolves when the process has ended, however it did, with the last lines of its log. */
  readonly ended: Promise<{ readonly log: string }>;
  /** Lets it write what it holds and end; resolves when it has. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would (SIGKILL); resolves when it has. */
  kill(): Promise<void>;
}

const START_LIMIT_MS = 20_000;

/**
 * Starts a nats-server and waits until it takes connections.
 * @throws Terminal `nats-server-missing`, `nats-server-failed` (with the end of its log: bad configuration, port
 * taken); Retryable `nats-server-slow`; Cancelled
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  throwIfAborted(options.signal);
  const binary = await findNatsServer();
  const folder = await mkdtemp(join(tmpdir(), 'sealion-nats-'));
  const storeDir = options.storeDir ?? join(folder, 'store');
  const configFile = join(folder, 'nats.conf');
  await writeFile(configFile, options.config ?? '', { mode: 0o600 });

  // Flags win over the file, so that no text of the caller moves the server to another address or store.
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

/** The server writes its ports file when it listens. */
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

/** What its log says of a failed start: the fatal lines, without its banner; all of it where none is fatal. */
function faults(log: string): string {
  const fatal = log.match(/(?<=\[(?:FTL|ERR)\] ).*/g);
  return fatal ? fatal.join('\n') : log.trim();
}
