import { connect } from 'node:net';

/** The bytes that a client sends on a connection, and its behaviour afterwards. */
export interface RawRequest {
  readonly method: string;
  /** The bytes to send, one character per byte, one write per piece. */
  readonly pieces: readonly string[];
  /**
   * After the last piece, the client `wait`s until the server closes, `shut`s its own side, or `break`s the connection.
   */
  readonly manner: 'wait' | 'shut' | 'break';
}

/** A response as received over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Longer than a server takes for any answer; ms. */
const TIME_LIMIT_MS = 60_000;

/**
 * Sends a request over a new connection.
 * @returns all bytes received
 * @throws when the server does not close the connection
 */
export function exchange(port: number, { pieces, manner }: RawRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    const limit = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the server never closes; it has said ${Buffer.concat(received).toString('latin1')}`));
    }, TIME_LIMIT_MS);
    socket.on('data', (chunk) => received.push(chunk));
    // The error of a client that still sends when the server closes first.
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(limit);
      resolve(Buffer.concat(received));
    });
    const send = ([piece, ...rest]: readonly string[]) => {
      if (piece) socket.write(piece, 'latin1', () => setImmediate(send, rest));
      else if (manner === 'shut') socket.end();
      else if (manner === 'break') socket.destroy();
    };
    socket.once('connect', () => send(pieces));
  });
}

/**
 * Parses the final answers received on a connection; omits a truncated last one.
 * @param method of the first request: an answer to HEAD has no body
 * @throws when the bytes are not HTTP/1.1
 */
export function readAnswers(bytes: Buffer, method: string): readonly RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return answers;
    const [first = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const status = Number(/^HTTP\/1\.1 ([1-5][0-9]{2})(?: |$)/.exec(first)?.[1]);
    if (!status) throw new Error(`no status line: ${first}`);
    rest = rest.subarray(end + 4);
    if (status < 200) continue;
    const headers = new Map(lines.map(readHeader));
    const isBodiless = (method === 'HEAD' && answers.length === 0) || status === 204 || status === 304;
    const content = isBodiless ? { body: Buffer.of(), rest } : readBody(rest, headers);
    if (!content) return answers;
    answers.push({ status, headers, body: content.body });
    rest = content.rest;
  }
  return answers;
}

function readHeader(line: string): [string, string] {
  const match = /^([!#$%&'*+.^_`|~0-9a-zA-Z-]+): ?([\t\x20-\x7e\x80-\xff]*)$/.exec(line);
  if (!match) throw new Error(`no header: ${line}`);
  return [(match[1] ?? '').toLowerCase(), match[2] ?? ''];
}

interface Content {
  readonly body: Buffer;
  readonly rest: Buffer;
}

/** Undefined when the body is truncated. */
function readBody(bytes: Buffer, headers: ReadonlyMap<string, string>): Content | undefined {
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(bytes);
  const length = headers.get('content-length');
  if (length === undefined) return { body: bytes, rest: Buffer.of() };
  if (!/^[0-9]+$/.test(length)) throw new Error(`no content-length: ${length}`);
  const size = Number(length);
  return bytes.length < size ? undefined : { body: bytes.subarray(0, size), rest: bytes.subarray(size) };
}

function readChunks(bytes: Buffer): Content | undefined {
  const chunks: Buffer[] = [];
  for (let rest = bytes; ; ) {
    const end = rest.indexOf('\r\n');
    if (end < 0) return undefined;
    const size = Number.parseInt(rest.subarray(0, end).toString('latin1'), 16);
    if (Number.isNaN(size)) throw new Error('no chunk');
    const [from, to] = [end + 2, end + 2 + size];
    if (rest.length < to + 2) return undefined;
    chunks.push(rest.subarray(from, to));
    rest = rest.subarray(to + 2);
    if (size === 0) return { body: Buffer.concat(chunks), rest };
  }
}
