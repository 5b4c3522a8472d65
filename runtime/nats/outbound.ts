import { DataBuffer } from '@nats-io/nats-core/internal';

/** From this length on a body is not copied, bytes; below it a copy costs less than one more part of a write. */
const LARGE_BYTES = 16 * 1024;

/**
 * What a connection has to send. The library copies all of it into new memory before each write; here large bodies are
 * written from where they are. So a publisher must not change one before an answer shows that it has arrived.
 */
export class Outbound extends DataBuffer {
  readonly #send: (part: Uint8Array) => void;

  /** @param send sends bytes over the current link to the server; keeps their order */
  constructor(send: (part: Uint8Array) => void) {
    super();
    this.#send = send;
  }

  /** Sends all but the last part. @returns the last part, which the library sends next */
  override drain(): Uint8Array {
    const parts = joined(this.buffers);
    this.reset();
    const last = parts.pop();
    for (const part of parts) this.#send(part);
    return last ?? new Uint8Array();
  }
}

/** The same bytes in fewer parts: what is between two large ones becomes one. */
function joined(buffers: readonly Uint8Array[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const join = () => {
    if (small.length > 0) parts.push(Buffer.concat(small));
    small = [];
  };
  for (const buffer of buffers) {
    if (buffer.length < LARGE_BYTES) {
      small.push(buffer);
    } else {
      join();
      parts.push(buffer);
    }
  }
  join();
  return parts;
}
