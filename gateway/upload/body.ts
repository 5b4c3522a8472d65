import type { PayloadStream } from '#actors/messages';
import { Cancelled, type SealionError, throwIfAborted, toSealionError } from '#protocols/errors';
import type { GatewayLimits } from '../limits.ts';
import { wrongSize } from './lengths.ts';

/** Requirements that a payload must meet while it is received. */
export interface UploadBodyOptions {
  /** Exact number of bytes that must arrive. */
  readonly length: number;
  readonly limits: Pick<GatewayLimits, 'idleTimeoutMs' | 'minBytesPerSecond' | 'rateWindowMs'>;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
}

/**
 * A payload, or a part of it, while it is being received. Its bytes are counted, and the time spent waiting for the
 * client is measured (the reader's own time does not count). Iterating throws Terminal 400/110008 for a wrong size,
 * Cancelled 400/110005 for a client that is silent, too slow or gone. The last chunk is handed out only after the body
 * has ended, so that a reader never gets a complete payload from a body that is too long.
 */
export class UploadBody implements PayloadStream {
  /** Bytes that have arrived. */
  received = 0;
  /** Why the body failed, if it did. */
  failure: SealionError | undefined;
  private readonly source: AsyncIterator<Uint8Array>;
  private readonly options: UploadBodyOptions;
  private readonly pace: Pace;
  /** On the monotonic clock; absent while the client is not waited for. */
  private waitingSince: number | undefined;

  /** @param source is read from the first `next` on, and stopped when the iteration ends. */
  constructor(source: AsyncIterable<Uint8Array>, options: UploadBodyOptions) {
    this.source = source[Symbol.asyncIterator]();
    this.options = options;
    this.pace = new Pace(options.limits);
  }

  silentMs(): number {
    return this.waitingSince === undefined ? 0 : performance.now() - this.waitingSince;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* this.chunks();
    } catch (thrown) {
      this.failure ??= toSealionError(thrown);
      throw this.failure;
    } finally {
      this.waitingSince = undefined;
      // Not awaited: a source that waits for a silent client stops only when the client sends something or closes.
      this.source.return?.().catch(() => {});
    }
  }

  private async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { length, signal } = this.options;
    let last: Uint8Array | undefined;
    for (;;) {
      throwIfAborted(signal);
      this.waitingSince ??= performance.now();
      const chunk = await this.pace.wait(this.next());
      if (chunk?.length === 0) continue;
      this.waitingSince = undefined;
      if (chunk === undefined) break;
      this.received += chunk.length;
      if (this.received > length) throw wrongSize(`more than ${length}`, length);
      if (this.received < length) yield chunk;
      else last = chunk;
    }
    if (this.received < length) throw wrongSize(`only ${this.received}`, length);
    if (last) yield last;
  }

  private async next(): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await this.source.next();
      return done ? undefined : value;
    } catch (cause) {
      throw new Cancelled({
        code: 'client-gone',
        message: 'The client closed the connection during the upload.',
        gatewayCode: 110005,
        cause,
      });
    }
  }
}

/** Measures how long we wait for a client, and for how many bytes. */
class Pace {
  private readonly limits: UploadBodyOptions['limits'];
  private waitedMs = 0;
  private bytes = 0;

  constructor(limits: UploadBodyOptions['limits']) {
    this.limits = limits;
  }

  async wait(read: Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
    const { idleTimeoutMs, minBytesPerSecond, rateWindowMs } = this.limits;
    const started = performance.now();
    const chunk = await orTimeout(read, idleTimeoutMs);
    this.waitedMs += performance.now() - started;
    this.bytes += chunk?.length ?? 0;
    if (chunk === undefined || this.waitedMs < rateWindowMs) return chunk;
    const bytesPerSecond = (this.bytes * 1000) / this.waitedMs;
    if (bytesPerSecond < minBytesPerSecond) {
      throw tooSlow(
        `The client sends ${Math.round(bytesPerSecond)} bytes per second, fewer than ${minBytesPerSecond}.`,
      );
    }
    this.waitedMs = 0;
    this.bytes = 0;
    return chunk;
  }
}

function orTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooSlow(`The client has sent nothing for ${ms} ms.`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function tooSlow(message: string): Cancelled {
  return new Cancelled({
    code: 'client-too-slow',
    message,
    advice: 'Upload again over a faster connection.',
    gatewayCode: 110005,
  });
}
