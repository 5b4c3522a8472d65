/**
 * Splits bytes into chunks of `size`; only the last is shorter. Frames of a stream are copied together, into memory of
 * their length; one that is a chunk by itself is passed on.
 */
export async function* chunksOf(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += size) yield source.subarray(at, at + size);
    return;
  }
  let parts: Uint8Array[] = [];
  let filled = 0;
  for await (const frame of source) {
    for (let at = 0; at < frame.length; ) {
      const part = frame.subarray(at, at + size - filled);
      parts.push(part);
      filled += part.length;
      at += part.length;
      if (filled === size) {
        yield joined(parts);
        parts = [];
        filled = 0;
      }
    }
  }
  if (filled > 0) yield joined(parts);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  return first && parts.length === 1 ? first : Buffer.concat(parts);
}
