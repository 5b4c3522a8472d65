import type { ReadStream, WriteStream } from 'node:tty';
import { printable } from '#runtime/telemetry/printable';

/** The parts of a terminal that a full-screen view needs. */
export interface Terminal {
  readonly input: Pick<ReadStream, 'on' | 'off' | 'setRawMode' | 'resume' | 'pause'>;
  readonly output: Pick<WriteStream, 'on' | 'off' | 'write' | 'rows'>;
}

// the alternate screen, without cursor, and with lines cut at the edge; and back
const OPEN = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const CLOSE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const END_OF_LINE = '\u001b[K\r\n';
const REST_OF_SCREEN = '\u001b[J';
const DEFAULT_ROWS = 24;

/** The whole of a terminal, until `close`, which restores it; the end of the process does too. */
export class Screen {
  readonly #terminal: Terminal;
  readonly #onKey: (data: Buffer | string) => void;
  readonly #onResize: () => void;
  readonly #onExit = () => this.close();
  #isOpen = true;

  constructor(terminal: Terminal, on: { key(key: string): void; resize(): void }) {
    this.#terminal = terminal;
    this.#onKey = (data) => on.key(String(data));
    this.#onResize = () => on.resize();
    const { input, output } = terminal;
    process.once('exit', this.#onExit);
    output.write(OPEN);
    input.setRawMode(true);
    input.on('data', this.#onKey);
    input.resume();
    output.on('resize', this.#onResize);
  }

  get rows(): number {
    return this.#terminal.output.rows || DEFAULT_ROWS;
  }

  /** Shows lines from the top; those that do not fit are left out. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const shown = lines.slice(0, this.rows - 1).map((line) => `${printable(line)}${END_OF_LINE}`);
    this.#terminal.output.write(`${HOME}${shown.join('')}${REST_OF_SCREEN}`);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#onExit);
    const { input, output } = this.#terminal;
    output.off('resize', this.#onResize);
    input.off('data', this.#onKey);
    input.setRawMode(false);
    input.pause();
    output.write(CLOSE);
  }
}
