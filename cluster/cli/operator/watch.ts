import { setTimeout as sleep } from 'node:timers/promises';
import { Cancelled, Retryable } from '#protocols/errors';
import type { AdminApi } from '../../client/admin-api.ts';
import type { Reporter } from '../reporter.ts';
import { openAdmin } from './admin.ts';
import type { AdminOptions } from './admin-url.ts';
import { type Frame, frameOf, type Moment, readMoment, type Shown } from './frame.ts';
import { Screen, type Terminal } from './screen.ts';

export interface WatchOptions extends AdminOptions {
  readonly json?: boolean;
  readonly tree?: boolean;
  /** Seconds. */
  readonly interval: number;
}

/**
 * `sealion watch`: the nodes, the queue, and the open jobs or the actors, until it is stopped. On a terminal it takes
 * the whole screen, elsewhere it prints once per interval.
 */
export async function watch(options: WatchOptions, report: Reporter, signal: AbortSignal): Promise<void> {
  const api = await openAdmin(options, 'view');
  const { stdin: input, stdout: output } = process;
  const everyMs = options.interval * 1_000;
  const shown = options.tree ? 'tree' : 'jobs';
  if (!options.json && input.isTTY && output.isTTY) {
    await watchOnScreen({ api, shown, everyMs, terminal: { input, output } }, signal);
    return;
  }
  for (;;) {
    const moment = await readMoment(api, shown, signal);
    const { head, body } = frameOf(moment);
    report.line([...head, ...body, ''], { ...moment, event: 'watched' });
    await sleep(everyMs, undefined, { signal });
  }
}

export interface ScreenOptions {
  readonly api: AdminApi;
  readonly shown: Shown;
  readonly everyMs: number;
  readonly terminal: Terminal;
}

/** Until `q`. @throws what the admin server refuses with; one that does not answer is asked again */
export async function watchOnScreen(options: ScreenOptions, signal: AbortSignal): Promise<void> {
  const { api, everyMs, terminal } = options;
  const view = new LiveView(options.shown, terminal);
  try {
    while (!view.isQuit) {
      const wake = AbortSignal.any([signal, view.wake()]);
      try {
        view.show(await readMoment(api, view.shown, wake));
        await sleep(everyMs, undefined, { signal: wake });
      } catch (thrown) {
        signal.throwIfAborted();
        if (wake.aborted) continue;
        if (!(thrown instanceof Retryable)) throw thrown;
        view.fail(`${thrown.message} (${thrown.code})`);
        await sleep(everyMs, undefined, { signal: wake }).catch(() => signal.throwIfAborted());
      }
    }
  } finally {
    view.close();
  }
}

const HELP = 'q quit   j jobs   t tree   ↑ ↓ PgUp PgDn scroll';
const STEPS: Readonly<Record<string, number>> = { '\u001b[A': -1, '\u001b[B': 1 };
const PAGES: Readonly<Record<string, number>> = { '\u001b[5~': -1, '\u001b[6~': 1, ' ': 1 };
const CTRL_C = '\u0003';

/** The state of the view: what is shown, how far it is scrolled, whether it was quit. */
class LiveView {
  isQuit = false;
  shown: Shown;
  readonly #screen: Screen;
  #frame: Frame = { head: [], body: ['…'] };
  #failure = '';
  #offset = 0;
  #wake = new AbortController();

  constructor(shown: Shown, terminal: Terminal) {
    this.shown = shown;
    this.#screen = new Screen(terminal, { key: (key) => this.#key(key), resize: () => this.#draw() });
    this.#draw();
  }

  /** Aborted when a key asks for something else. */
  wake(): AbortSignal {
    this.#wake = new AbortController();
    return this.#wake.signal;
  }

  show(moment: Moment): void {
    this.#frame = frameOf(moment);
    this.#failure = '';
    this.#draw();
  }

  fail(message: string): void {
    this.#failure = message;
    this.#draw();
  }

  close(): void {
    this.#screen.close();
  }

  #key(key: string): void {
    // in raw mode the terminal makes no signal of it
    if (key === CTRL_C) process.kill(process.pid, 'SIGINT');
    else if (key === 'q') this.#quit();
    else if (key === 'j') this.#switch('jobs');
    else if (key === 't') this.#switch('tree');
    else this.#scroll((STEPS[key] ?? 0) + (PAGES[key] ?? 0) * this.#room());
  }

  #quit(): void {
    this.isQuit = true;
    this.#abort();
  }

  #switch(shown: Shown): void {
    if (this.shown === shown) return;
    this.shown = shown;
    this.#offset = 0;
    this.#abort();
  }

  #abort(): void {
    this.#wake.abort(new Cancelled({ code: 'interrupted', message: 'A key was pressed.' }));
  }

  #scroll(by: number): void {
    if (by === 0) return;
    this.#offset += by;
    this.#draw();
  }

  /** Lines of the list that are in sight. */
  #room(): number {
    return Math.max(1, this.#screen.rows - this.#frame.head.length - 2);
  }

  #draw(): void {
    const { head, body } = this.#frame;
    const last = Math.max(0, body.length - this.#room());
    this.#offset = Math.min(Math.max(0, this.#offset), last);
    const end = Math.min(body.length, this.#offset + this.#room());
    const place = last > 0 ? `   lines ${this.#offset + 1} to ${end} of ${body.length}` : '';
    const [time = '', ...rest] = head;
    this.#screen.draw([
      `${time}   ${this.#failure || `${HELP}${place}`}`,
      ...rest,
      ...body.slice(this.#offset, end),
    ]);
  }
}
