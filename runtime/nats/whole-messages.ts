import { ReusedMemory } from '../async/reused-memory.ts';

const LINE_FEED = 10;
/** `MSG <subject> <sid> [reply] <size>`, `HMSG <subject> <sid> [reply] <size of headers> <size>` */
const MESSAGE = /^H?MSG\s.*?([0-9]+)\s*$/is;
/** Length of the CRLF after the bytes of a message. */
const END = 2;
/** Bytes that are read at once while no large message is arriving. */
const ROOM = 128 * 1024;
/** Messages above this length are read into memory of their own, bytes. */
const LARGE = ROOM / 2;
/** Memory for large messages has a multiple of this length, so that it fits others of about the same length; bytes. */
const STEP = 4 * 1024;
/** Memory that is kept for the next large messages, bytes: as much as is on its way to readers at once. */
const KEPT = 16 * 2 ** 20;

const memory = new ReusedMemory(KEPT);
/** Buffers that hold one large message each. */
const own = new WeakSet<ArrayBufferLike>();

/** The memory of a message may be used for others. @param data of a message that nobody will read again */
export function giveBackMessage({ buffer }: Uint8Array): void {
  if (own.has(buffer)) memory.giveBack([new Uint8Array(buffer)]);
}

/**
 * Gives room for the bytes from a NATS server, and takes them out again as whole messages. The rest of a large message
 * is read to where it stays, in a buffer of about its length. The library's own parser uses a growing buffer, which
 * copies a message of 1 MiB nearly three times, allocates nearly four times its length, and keeps twice its length for
 * as long as the message is held.
 */
export class MessageReader {
  #room: Uint8Array = Buffer.allocUnsafeSlow(ROOM);
  /** A large message that has arrived in part. */
  #message: Uint8Array | undefined;
  /** Bytes of that message so far, or of the room: a message or a line that has arrived in part. */
  #filled = 0;

  /** Where the next bytes are to be written. */
  get room(): Uint8Array {
    return (this.#message ?? this.#room).subarray(this.#filled);
  }

  /**
   * @param count bytes that have been written into the room
   * @returns the messages and lines that are complete now, in memory that is not written again
   */
  arrived(count: number): Uint8Array | undefined {
    this.#filled += count;
    if (this.#message) {
      if (this.#filled < this.#message.length) return undefined;
      const message = this.#message;
      this.#message = undefined;
      this.#filled = 0;
      return message;
    }
    const bytes = this.#room.subarray(0, this.#filled);
    let at = 0;
    let length = operationLength(bytes, at);
    while (length !== undefined && at + length <= bytes.length) {
      at += length;
      length = operationLength(bytes, at);
    }
    const complete = at > 0 ? Buffer.from(bytes.subarray(0, at)) : undefined;
    this.#keep(bytes.subarray(at), length);
    return complete;
  }

  /** @param length of the message or line that begins with these bytes; undefined while it is not known */
  #keep(rest: Uint8Array, length: number | undefined): void {
    this.#filled = rest.length;
    if (length !== undefined && length > LARGE) {
      const room = memory.take(Math.ceil(length / STEP) * STEP);
      own.add(room.buffer);
      this.#message = room.subarray(0, length);
      this.#message.set(rest);
      return;
    }
    const isFull = rest.length === this.#room.length;
    const room = isFull ? Buffer.allocUnsafeSlow(2 * rest.length) : this.#room;
    room.set(rest);
    this.#room = room;
  }
}

/** Passes on frames that were read elsewhere, with each message in one piece. */
export async function* wholeMessages(
  frames: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new MessageReader();
  for await (const frame of frames) {
    for (let at = 0; at < frame.length; ) {
      const { room } = reader;
      const part = frame.subarray(at, at + room.length);
      room.set(part);
      at += part.length;
      const complete = reader.arrived(part.length);
      if (complete) yield complete;
    }
  }
}

/** Length of a line and of the message that it announces; undefined while the end of the line has not arrived. */
function operationLength(bytes: Uint8Array, at: number): number | undefined {
  const end = bytes.indexOf(LINE_FEED, at);
  if (end < 0) return undefined;
  const length = end + 1 - at;
  const size = MESSAGE.exec(Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1'))?.[1];
  return size === undefined ? length : length + Number(size) + END;
}
