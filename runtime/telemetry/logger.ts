import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { destination, type Level, pino, stdSerializers, stdTimeFunctions } from 'pino';
import { Terminal } from '#protocols/errors';
import { printable } from './printable.ts';

/** The structured log of a node: one JSON object per line. Never pass it a key, a token or payload. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  /** An error belongs in the field `error`; its code, message, advice and causes are written. */
  error(fields: object, message: string): void;
  /** A logger that adds fields to every line. */
  child(fields: object): Logger;
}

export interface LoggerOptions {
  readonly level?: Level | 'silent';
  /** The file to write to; standard error by default, since standard output is for results. */
  readonly file?: string;
  readonly fields?: object;
}

/** Names of fields whose values are never written, at the top level of a line and up to two levels below. */
const SECRET_FIELDS = ['password', 'privateKey', 'secret', 'token', 'authorization'];
const REDACTED = ['', '*.', '*.*.'].flatMap((level) => SECRET_FIELDS.map((name) => `${level}${name}`));

/**
 * Opens the log of a process; lines still in memory are written when it exits.
 * @throws Terminal `log-unwritable`
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const stream = destination({ dest: options.file ? openLog(options.file) : 2, sync: false });
  stream.on('error', (error: Error) => {
    process.stderr.write(`Log lines were lost: ${error.message}\n`);
  });
  return pino(
    {
      level: options.level ?? 'info',
      base: options.fields ?? null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.errWithCause },
      redact: REDACTED,
    },
    // JSON does not escape all characters that a terminal interprets.
    { write: (line: string) => void stream.write(`${printable(line.trimEnd())}\n`) },
  );
}

function openLog(file: string): number {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return openSync(file, 'a');
  } catch (cause) {
    throw new Terminal({
      code: 'log-unwritable',
      message: `Cannot write the log file ${file}.`,
      advice: 'Give a path to which the user of this process may write.',
      cause,
    });
  }
}

/** Writes nothing; for tests. */
export const silentLogger: Logger = createLogger({ level: 'silent' });
