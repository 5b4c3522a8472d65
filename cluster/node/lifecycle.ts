import { toSealionError } from '#protocols/errors';
import type { Logger } from '#runtime/telemetry/logger';

interface Part {
  readonly name: string;
  readonly limitMs: number;
  close(): void | Promise<void>;
}

/** Default time limit for closing a part, ms. */
const CLOSE_LIMIT_MS = 5_000;

/** The parts of a node in the order in which they were opened; closes them in the reverse order. */
export class Lifecycle {
  readonly #log: Logger;
  readonly #parts: Part[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Opens a part, which is then closed with the node. A failure is thrown to the caller. */
  async open<T>(
    name: string,
    open: () => T | Promise<T>,
    close: (opened: T) => void | Promise<void>,
    limitMs = CLOSE_LIMIT_MS,
  ): Promise<T> {
    const begin = performance.now();
    const opened = await open();
    this.#parts.push({ name, limitMs, close: () => close(opened) });
    this.#log.debug({ part: name, ms: Math.round(performance.now() - begin) }, 'opened');
    return opened;
  }

  /**
   * Closes all open parts, one after the other. A part that fails or takes too long is logged and abandoned; the others
   * are still closed.
   */
  async close(): Promise<void> {
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) await this.#close(part);
  }

  async #close({ name, limitMs, close }: Part): Promise<void> {
    const begin = performance.now();
    const overdue = Symbol('overdue');
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<typeof overdue>((resolve) => {
      timer = setTimeout(() => resolve(overdue), limitMs);
    });
    const closing = (async () => close())();
    try {
      const outcome = await Promise.race([closing, limit]);
      const fields = { part: name, ms: Math.round(performance.now() - begin) };
      if (outcome === overdue) this.#log.warn({ ...fields, limitMs }, 'did not close in time, abandoned');
      else this.#log.debug(fields, 'closed');
    } catch (thrown) {
      this.#log.warn({ part: name, error: toSealionError(thrown) }, 'failed to close');
    } finally {
      clearTimeout(timer);
      // Nobody awaits an abandoned part.
      closing.catch(() => undefined);
    }
  }
}
