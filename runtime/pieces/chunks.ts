/**
 * Splits bytes into chunks of `size`; only the last is shorter. Frames of a stream are copied together, as they come.
 * @param onBytes gets all bytes in order, a frame or a chunk at a time
 * @param memory gives memory for a chunk; without it each chunk has its own
 */
export async function* chunksOf(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  size: number,
  onBytes: (bytes: Uint8Array) => void = () => undefined,
  memory: () => Uint8Array = () => new Uint8Array(size),
): AsyncGenerator<Uint8Array, void, undefined> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += size) {
      const chunk = source.subarray(at, at + size);
      onBytes(chunk);
      yield chunk;
    }
    return;
  }
  let chunk: Uint8Array | undefined;
  let filled = 0;
  for await (const frame of source) {
    onBytes(frame);
    for (let at = 0; at < frame.length; ) {
      chunk ??= memory();
      const part = frame.subarray(at, at + size - filled);
      chunk.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === size) {
        yield chunk;
        chunk = undefined;
        filled = 0;
      }
    }
  }
  if (chunk) yield chunk.subarray(0, filled);
}
