const LINE_FEED = 10;
/** `MSG <subject> <sid> [reply] <size>`, `HMSG <subject> <sid> [reply] <size of headers> <size>` */
const MESSAGE = /^H?MSG\s.*?([0-9]+)\s*$/is;
/** Length of the CRLF after the bytes of a message. */
const END = 2;

/**
 * Passes on the frames from a NATS server, with each message in one piece. A message that arrives in several frames is
 * assembled in a buffer of exactly its length. The library's own parser uses a growing buffer, which copies a message
 * of 1 MiB nearly three times, allocates nearly four times its length, and keeps twice its length for as long as the
 * message is held.
 */
export async function* wholeMessages(
  frames: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  /** A message that has arrived in part, and the number of its bytes so far. */
  let message: Uint8Array | undefined;
  let filled = 0;
  /** The beginning of a line whose end has not arrived. */
  let line: Uint8Array | undefined;
  for await (const incoming of frames) {
    let frame: Uint8Array = line ? Buffer.concat([line, incoming]) : incoming;
    line = undefined;
    if (message) {
      const part = frame.subarray(0, message.length - filled);
      message.set(part, filled);
      filled += part.length;
      if (filled < message.length) continue;
      yield message;
      message = undefined;
      frame = frame.subarray(part.length);
    }
    let at = 0;
    while (at < frame.length) {
      const length = operationLength(frame, at);
      if (length !== undefined && at + length <= frame.length) {
        at += length;
        continue;
      }
      const rest = frame.subarray(at);
      if (length === undefined) line = rest;
      else {
        message = Buffer.allocUnsafeSlow(length);
        message.set(rest);
        filled = rest.length;
      }
      break;
    }
    if (at > 0) yield frame.subarray(0, at);
  }
}

/** Length of a line and of the message that it announces; undefined while the end of the line has not arrived. */
function operationLength(frame: Uint8Array, at: number): number | undefined {
  const end = frame.indexOf(LINE_FEED, at);
  if (end < 0) return undefined;
  const length = end + 1 - at;
  const size = MESSAGE.exec(Buffer.from(frame.buffer, frame.byteOffset + at, length).toString('latin1'))?.[1];
  return size === undefined ? length : length + Number(size) + END;
}
