import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { Terminal, throwIfAborted } from '#protocols/errors';

export interface ProcessOptions {
  /** Name for messages, for example `sp1`. */
  readonly name: string;
  /** A compiled program of ours. When it is ready, it writes one line of JSON, its ports, to standard output. */
  readonly program: string;
  readonly args: readonly string[];
  /** Options of Node for this program. */
  readonly nodeOptions?: readonly string[];
  /** Its standard error is appended here. */
  readonly logFile: string;
  /** Called when it ends unexpectedly. */
  readonly onCrash: (error: Terminal) => void;
}

/** The line that a program writes when it is ready: its ports by the names of its listeners. */
export type Ready = Readonly<Record<string, number>>;

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;
const LOG_TAIL_LINES = 12;

/**
 * Runs one of our programs in a process group of its own, so that Ctrl-C in a terminal reaches only its owner. When the
 * owner ends, the IPC channel between them closes, and the program ends too.
 */
export class DevnetProcess {
  readonly name: string;
  readonly #options: ProcessOptions;
  #running: Running | undefined;

  constructor(options: ProcessOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Undefined while it is not running. */
  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /**
   * Starts it and waits until it is ready.
   * @throws Terminal `devnet-process-failed` with the end of its log; Cancelled
   */
  async start(signal?: AbortSignal): Promise<Ready> {
    throwIfAborted(signal);
    const running = await this.#spawn();
    this.#running = running;
    const limit = AbortSignal.any([AbortSignal.timeout(START_LIMIT_MS), ...(signal ? [signal] : [])]);
    const abort = () => running.child.kill('SIGKILL');
    limit.addEventListener('abort', abort, { once: true });
    if (limit.aborted) abort();
    const line = await Promise.race([firstLine(running.child), running.ended]);
    limit.removeEventListener('abort', abort);
    if (line !== undefined) {
      running.serves = true;
      return JSON.parse(line) as Ready;
    }
    throwIfAborted(signal);
    throw await this.#failure('did not start');
  }

  /** Sends a signal that does not end the process; `kill` sends the others. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#running?.child.kill(signal);
  }

  /** Kills it, as a crash would, or with another signal; resolves when it has ended. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const running = this.#running;
    if (!running) return;
    running.serves = false;
    running.child.kill(signal);
    await running.ended;
  }

  /** Asks it to end, and kills it after 20 s; resolves when it has ended. */
  async stop(): Promise<void> {
    const child = this.#running?.child;
    const force = setTimeout(() => child?.kill('SIGKILL'), STOP_LIMIT_MS);
    const gone = this.kill('SIGTERM');
    this.signal('SIGCONT');
    await gone;
    clearTimeout(force);
  }

  /** Kills it if it is running, and starts it with the same arguments. @throws as `start` */
  async restart(signal?: AbortSignal): Promise<Ready> {
    await this.stop();
    return this.start(signal);
  }

  async #spawn(): Promise<Running> {
    const { program, args, nodeOptions = [], logFile } = this.#options;
    const log = await open(logFile, 'a');
    try {
      const child = spawn(process.execPath, [...nodeOptions, program, ...args], {
        stdio: ['ignore', 'pipe', log.fd, 'ipc'],
        detached: true,
      });
      const ended = new Promise<undefined>((resolve) => {
        child.once('exit', () => resolve(undefined));
        // A process that could not be started never exits.
        child.once('error', () => resolve(undefined));
      });
      const running: Running = { child, ended, serves: false };
      child.once('exit', (code, signal) => {
        if (this.#running === running) this.#running = undefined;
        if (running.serves) void this.#crashed(signal ?? `code ${code}`);
      });
      return running;
    } finally {
      await log.close();
    }
  }

  async #crashed(how: string): Promise<void> {
    this.#options.onCrash(await this.#failure(`ended unexpectedly (${how})`));
  }

  async #failure(what: string): Promise<Terminal> {
    const { name, logFile } = this.#options;
    const log = await readFile(logFile, 'utf8').catch(() => '');
    const tail = log.trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
    return new Terminal({
      code: 'devnet-process-failed',
      message: `${name} ${what}; the end of its log:\n${tail || '(nothing)'}`,
      advice: `Its whole log is ${logFile}.`,
    });
  }
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<undefined>;
  /** True from its first line until it is asked to end. */
  serves: boolean;
}

/** Never resolves if the process ends without a complete line. */
function firstLine({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
  });
}
