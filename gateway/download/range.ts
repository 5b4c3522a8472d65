import { Terminal } from '#protocols/errors';

/** A part of a payload, in bytes. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads a `Range` header: `bytes=a-b`, `bytes=a-` and `bytes=-n` (the last n bytes), the end clamped to the
 * payload.
 * @param size of the payload, bytes
 * @returns undefined without a header: the whole payload
 * @throws Terminal 400/50012 when the header is malformed, names several ranges or none of the payload's bytes
 */
export function readRange(header: string | undefined, size: number): ByteRange | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes=([0-9]{0,16})-([0-9]{0,16})$/i.exec(header.replaceAll(' ', ''));
  if (!match || (match[1] === '' && match[2] === '')) {
    throw badRange(`"${header}" is not a range of bytes.`);
  }
  const suffix = match[1] === '';
  const start = suffix ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = suffix || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (start > end) throw badRange(`"${header}" lies outside the payload of ${size} bytes.`);
  return { offset: start, length: end - start + 1 };
}

function badRange(message: string): Terminal {
  return new Terminal({
    code: 'bad-range',
    message,
    advice: 'Ask for one range, for example bytes=0-1023.',
    gatewayCode: 50012,
  });
}
