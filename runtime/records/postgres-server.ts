import { execFile, spawn } from 'node:child_process';
import { access, chown, constants, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { Retryable, Terminal, throwIfAborted } from '#protocols/errors';
import { endBy, endWithUs, keepEnd, processEnd } from '../processes/child.ts';

export interface PostgresServerOptions {
  /** Data folder; created if it does not exist. */
  readonly folder: string;
  /** Port on the loopback interface. */
  readonly port: number;
  /** Password of its only user. */
  readonly password: string;
  /** Puts the server into a process group of its own, so that Ctrl-C in a terminal reaches only its owner. */
  readonly detached?: boolean;
  /** Cancels the start; a running server is stopped by `stop`. */
  readonly signal?: AbortSignal;
}

/** A PostgreSQL process of ours on the loopback interface, for devnets and tests. It does not outlive this process. */
export interface PostgresServer {
  /** Without the password. */
  readonly url: string;
  readonly pid: number;
  /** Resolves with the last lines of its log when the process has ended for any reason. */
  readonly ended: Promise<{ readonly log: string }>;
  /** Shuts it down cleanly, closing its connections; resolves when it has ended. */
  stop(): Promise<void>;
  /** Kills it, as a crash would; resolves when it has ended. */
  kill(): Promise<void>;
}

const USER = 'sealion';
const DATABASE = 'postgres';
const START_LIMIT_MS = 30_000;

/**
 * Starts a PostgreSQL server and waits until it accepts connections. PostgreSQL refuses to run as root: started by
 * root, it runs in a user namespace in which root has another user id or, if there can be none, as the user `postgres`
 * of Debian's package.
 * @throws Terminal `postgres-missing`, `postgres-failed` with the end of its log; Retryable `postgres-slow`; Cancelled
 */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  const { port, password, detached = false, signal } = options;
  throwIfAborted(signal);
  const programs = await findPostgres();
  if (!programs) throw missing();
  const folder = resolve(options.folder);
  const run = await unprivileged();
  const data = join(folder, 'data');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (run.user) {
    await checkReachable(folder);
    await chown(folder, run.user.uid, run.user.gid);
  }
  if (!(await exists(join(data, 'PG_VERSION')))) await create(programs, folder, data, password, run);

  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=100'];
  const flags = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
  const [program = '', ...first] = [...run.through, join(programs, 'postgres')];
  const child = spawn(program, [...first, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: folder,
    detached,
    ...run.user,
  });
  const watchdog = child.pid === undefined ? undefined : endWithUs(child.pid, undefined, 'QUIT');
  const log = keepEnd(child);
  const ended = processEnd(child)
    .then(() => ({ log: log() }))
    .finally(() => watchdog?.kill('SIGKILL'));
  const settled = new AbortController();
  try {
    const until = AbortSignal.any([settled.signal, ...(signal ? [signal] : [])]);
    await Promise.race([
      answers(port, password, until),
      ended.then((end) => {
        throw failed(`PostgreSQL ended before it was ready: ${end.log.trim() || 'it left no log'}`);
      }),
    ]);
  } catch (error) {
    await endBy(child, 'SIGQUIT', ended);
    throw error;
  } finally {
    settled.abort();
  }
  return {
    url: postgresUrl(port),
    pid: child.pid ?? 0,
    ended,
    stop: () => endBy(child, 'SIGINT', ended),
    kill: () => endBy(child, 'SIGQUIT', ended),
  };
}

/** URL of the server at a port of the loopback interface, without the password. */
export function postgresUrl(port: number): string {
  return `postgresql://${USER}@127.0.0.1:${port}/${DATABASE}`;
}

/** The folder with PostgreSQL's programs: from the PATH, or the newest version that Debian has installed. */
export async function findPostgres(): Promise<string | undefined> {
  const debian = '/usr/lib/postgresql';
  const versions = await readdir(debian).catch(() => []);
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter).filter(Boolean),
    ...versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin')),
  ];
  for (const folder of folders) {
    const programs = ['postgres', 'initdb'].map((name) => join(folder, name));
    if ((await Promise.all(programs.map(exists))).every(Boolean)) return folder;
  }
  return undefined;
}

/** A way to run a program that refuses to run as root. */
interface Unprivileged {
  /** A program, with its arguments, that runs another. */
  readonly through: readonly string[];
  readonly user?: { readonly uid: number; readonly gid: number };
}

async function create(
  programs: string,
  folder: string,
  data: string,
  password: string,
  { through, user }: Unprivileged,
): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (user) await chown(passwordFile, user.uid, user.gid);
  const flags = ['-D', data, '-U', USER, '--pwfile', passwordFile, '--auth', 'scram-sha-256'];
  const [program = '', ...first] = [...through, join(programs, 'initdb')];
  await promisify(execFile)(program, [...first, ...flags, '-E', 'UTF8', '--locale', 'C', '--no-sync'], {
    cwd: folder,
    ...user,
  }).catch((cause: unknown) => {
    throw failed(`PostgreSQL could not create its data in ${data}.`, cause);
  });
}

async function unprivileged(): Promise<Unprivileged> {
  if (process.getuid?.() !== 0) return { through: [] };
  const through = ['unshare', '--user', '--map-user=1000', '--map-group=1000'];
  const isPossible = await promisify(execFile)(through[0] as string, [...through.slice(1), 'true']).then(
    () => true,
    () => false,
  );
  if (isPossible) return { through };
  const users = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  const [, , uid = 65_534, gid = 65_534] =
    users.find((line) => line.startsWith('postgres:'))?.split(':') ?? [];
  return { through: [], user: { uid: Number(uid), gid: Number(gid) } };
}

/** Checks that another user can enter all parent folders. */
async function checkReachable(folder: string): Promise<void> {
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above)) {
    if (((await stat(above)).mode & 0o001) !== 0) continue;
    throw new Terminal({
      code: 'postgres-failed',
      message: `PostgreSQL does not run as root, and other users cannot enter ${above}.`,
      advice: 'Choose a folder that other users can reach, for example below /var/tmp.',
    });
  }
}

async function answers(port: number, password: string, signal: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + START_LIMIT_MS;
  while (performance.now() < giveUpAt) {
    throwIfAborted(signal);
    const client = new pg.Client({ host: '127.0.0.1', port, user: USER, database: DATABASE, password });
    client.on('error', () => undefined);
    const connected = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => undefined);
    if (connected) return;
    await sleep(50);
  }
  throw new Retryable({
    code: 'postgres-slow',
    message: `PostgreSQL was not ready after ${START_LIMIT_MS / 1000} s.`,
    advice: 'Try again; check its log if this continues.',
  });
}

function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}

function missing(): Terminal {
  return new Terminal({
    code: 'postgres-missing',
    message: 'PostgreSQL was not found in the PATH or in /usr/lib/postgresql.',
    advice: 'Install it, for example with apt install postgresql.',
  });
}

function failed(message: string, cause?: unknown): Terminal {
  return new Terminal({
    code: 'postgres-failed',
    message,
    advice:
      'Correct what the message names: a port in use, a folder that belongs to another user, or a full disk.',
    cause,
  });
}
