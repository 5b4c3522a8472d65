/** One picture of 64 × 36 in VP8, for all pictures of a film. */
const PICTURE = Buffer.from(
  'kAQAnQEqQAAkAD79aKRQP6YjIrVKA/AfiWYApd92yWBPSJVLx1FNc5H///OAAP7s2Fd1YP8tr4n71dFay8mvY4fCmxAExlHfXUkJ5iBUUaaHJ76BnZ3Vg/ysVMHtvBrvhvCyY+8mCMH/oaYFBghSXL9GUj/OBphRBBZNb0t3PsXMrJ+Tyaa9AAAA',
  'base64',
);

/**
 * A film in WebM that plays a second for each picture, with an index at its start, as films for the web have one.
 * @param secondBytes what each second takes up
 */
export function film({
  seconds,
  secondBytes,
}: {
  readonly seconds: number;
  readonly secondBytes: number;
}): Buffer {
  const header = element(
    '1a45dfa3',
    ...[number('4286', 1), number('42f7', 1), number('42f2', 4), number('42f3', 8)],
    ...[element('4282', Buffer.from('webm')), number('4287', 2), number('4285', 2)],
  );
  const duration = Buffer.alloc(8);
  duration.writeDoubleBE(seconds * 1_000);
  // Times are ms.
  const info = element('1549a966', number('2ad7b1', 1_000_000), element('4489', duration));
  const video = element('e0', number('b0', 64), number('ba', 36));
  const codec = element('86', Buffer.from('V_VP8'));
  const track = element('ae', number('d7', 1), number('73c5', 1), number('83', 1), codec, video);
  const tracks = element('1654ae6b', track);
  const all = Array.from({ length: seconds }, (_, second) => second);
  const clusters = all.map((second) => cluster(second * 1_000, secondBytes));
  const index = (begin: number) => {
    const points = all.map((second) =>
      element(
        'bb',
        number('b3', second * 1_000),
        element('b7', number('f7', 1), number('f1', begin + second * secondBytes)),
      ),
    );
    return element('1c53bb6b', ...points);
  };
  // Places count from the first byte within the segment; all numbers have the same length, whatever they are.
  const begin = info.length + tracks.length + index(0).length;
  return Buffer.concat([header, element('18538067', info, tracks, index(begin), ...clusters)]);
}

/** The picture of a second, with bytes behind it that no decoder looks at. */
function cluster(time: number, size: number): Buffer {
  const blockOf = (fill: number) =>
    element('a3', Buffer.from([0x81, 0, 0, 0x80]), PICTURE, Buffer.alloc(fill));
  const clusterOf = (fill: number) => element('1f43b675', number('e7', time), blockOf(fill));
  return clusterOf(size - clusterOf(0).length);
}

/** An element of EBML: its id, its length in eight bytes, its content. */
function element(id: string, ...content: readonly Buffer[]): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE((1n << 56n) | BigInt(content.reduce((sum, part) => sum + part.length, 0)));
  return Buffer.concat([Buffer.from(id, 'hex'), length, ...content]);
}

function number(id: string, value: number): Buffer {
  const content = Buffer.alloc(8);
  content.writeBigUInt64BE(BigInt(value));
  return element(id, content);
}
