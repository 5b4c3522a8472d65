import type { SealionError } from '#protocols/errors';
import { printable, printableJson, printableLines } from '#runtime/telemetry/printable';
import { rate, size } from './units.ts';

/** Output of a command: to a terminal, into a pipe, or as JSON. */
export interface Reporter {
  /**
   * Reports an event.
   * @param fields the event in JSON output
   * @param text the event in text output, in one line or several; control characters are escaped, as it may be hostile
   */
  line(
    text: string | readonly string[],
    fields: { readonly event: string } & Readonly<Record<string, unknown>>,
  ): void;
  /** Reports the progress of a transfer; may be called for every chunk. */
  progress(what: string, done: number, total: number): void;
  /** The command has failed. */
  failure(error: SealionError): void;
}

interface Out {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const BAR_WIDTH = 24;
const REDRAW_MS = 100;
/** In a pipe, progress is reported at each of these steps. */
const PLAIN_STEP = 0.25;

/** @param json one JSON object per line instead of text */
export function createReporter(
  options: { readonly json?: boolean; readonly out?: Out; readonly error?: Out } = {},
): Reporter {
  const out = options.out ?? process.stdout;
  const error = options.error ?? process.stderr;
  if (options.json) return jsonReporter(out);
  return out.isTTY ? terminalReporter(out, error) : plainReporter(out, error);
}

function jsonReporter(out: Out): Reporter {
  const write = (fields: object) => out.write(`${printableJson(fields)}\n`);
  const step = steps();
  return {
    line: (_text, fields) => write(fields),
    progress: (what, done, total) => {
      if (step(what, done, total)) write({ event: 'progress', what, done, total });
    },
    failure: ({ code, message, advice, gatewayCode }) =>
      write({ event: 'failed', code, message, advice, gatewayCode }),
  };
}

function plainReporter(out: Out, error: Out): Reporter {
  const step = steps();
  return {
    line: (text) => out.write(`${lines(text)}\n`),
    progress: (what, done, total) => {
      if (step(what, done, total)) out.write(`${printable(what)}: ${size(done)} of ${size(total)}\n`);
    },
    failure: (failure) => error.write(`${failureText(failure)}\n`),
  };
}

function terminalReporter(out: Out, error: Out): Reporter {
  let drawn = false;
  /** The transfer that is shown: its name, its start, and the bytes that were already there at its start. */
  let shown: { readonly what: string; readonly since: number; readonly before: number } | undefined;
  let lastDraw = 0;
  const wipe = () => {
    if (drawn) out.write('\r\u001b[2K');
    drawn = false;
  };
  return {
    line(text) {
      wipe();
      out.write(`${lines(text)}\n`);
    },
    progress(what, done, total) {
      const now = Date.now();
      if (shown?.what !== what || done < shown.before) shown = { what, since: now, before: done };
      if (now - lastDraw < REDRAW_MS && done < total) return;
      lastDraw = now;
      const filled = total > 0 ? Math.round((BAR_WIDTH * done) / total) : BAR_WIDTH;
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
      const line = `${printable(what)} ${bar} ${size(done)} of ${size(total)}, ${rate(done - shown.before, now - shown.since)}`;
      out.write(`\r\u001b[2K${line.slice(0, (out.columns || 80) - 1)}`);
      drawn = true;
      if (done < total) return;
      shown = undefined;
      wipe();
    },
    failure(failure) {
      wipe();
      error.write(`${failureText(failure)}\n`);
    },
  };
}

/** @returns a function that is true whenever a transfer has reached the next step */
function steps(): (what: string, done: number, total: number) => boolean {
  const reached = new Map<string, number>();
  return (what, done, total) => {
    const step = total > 0 ? Math.floor(done / total / PLAIN_STEP) : 1 / PLAIN_STEP;
    if (step <= (reached.get(what) ?? 0)) return false;
    if (done >= total) reached.delete(what);
    else reached.set(what, step);
    return true;
  };
}

function failureText({ kind, message, advice, code }: SealionError): string {
  if (kind === 'cancelled') return message;
  const text = [`Failed: ${message}`, ...(advice ? [advice] : []), `(${code})`].join(' ');
  return printableLines(text);
}

function lines(text: string | readonly string[]): string {
  return (typeof text === 'string' ? [text] : text).map(printable).join('\n');
}
