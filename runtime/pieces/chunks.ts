/** Splits bytes into chunks of `size`; only the last is shorter. Frames of a stream are copied together. */
export async function* chunksOf(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += size) yield source.subarray(at, at + size);
    return;
  }
  let chunk = new Uint8Array(size);
  let filled = 0;
  for await (const frame of source) {
    for (let at = 0; at < frame.length; ) {
      const part = frame.subarray(at, at + size - filled);
      chunk.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === size) {
        yield chunk;
        // a chunk may still be in transit when the next one is filled
        chunk = new Uint8Array(size);
        filled = 0;
      }
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
