import { destination, type Level, pino } from 'pino';

/** Structured log of a node: one JSON object a line. Never give it a key, a token or a payload byte. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger that adds fields to every line. */
  child(fields: object): Logger;
}

export interface LoggerOptions {
  readonly level?: Level | 'silent';
  /** Where lines go; standard error by default, since standard output belongs to results. */
  readonly file?: string;
  readonly fields?: object;
}

/** Opens the log of a process. Errors are written with their code, message, advice and causes. */
export function createLogger(options: LoggerOptions = {}): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: options.fields ?? null,
      serializers: { error: pino.stdSerializers.errWithCause },
    },
    destination(options.file ? { dest: options.file, mkdir: true, sync: false } : { dest: 2, sync: false }),
  );
}

/** Swallows everything; for tests. */
export const silentLogger: Logger = createLogger({ level: 'silent' });
