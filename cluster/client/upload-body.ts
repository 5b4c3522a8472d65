/** Small enough that progress is smooth, bytes. */
const PIECE_BYTES = 256 * 1024;

/** Bytes in memory, piece by piece. */
export function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

/** Passes a body on and counts its bytes. */
export async function* counted(
  body: AsyncIterable<Uint8Array>,
  onProgress: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    yield chunk;
    bytes += chunk.length;
    onProgress?.(bytes);
  }
}
