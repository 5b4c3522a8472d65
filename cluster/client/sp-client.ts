import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { XMLParser } from 'fast-xml-parser';
import { Cancelled, Retryable, type SealionError, Terminal } from '#protocols/errors';
import { signRequest } from '#protocols/greenfield/request-signature';
import { lookupLoopback } from '#runtime/http/endpoints';
import { printable } from '#runtime/telemetry/printable';

/** An object at a storage provider. */
export interface ObjectAddress {
  readonly bucketName: string;
  readonly objectName: string;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

/** What the provider says of an object that is not sealed yet. */
export interface UploadProgress {
  readonly description: string;
  /** Empty when nothing is wrong. */
  readonly error: string;
}

interface Call {
  readonly method: 'PUT' | 'POST' | 'GET';
  readonly address: ObjectAddress;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: AsyncIterable<Uint8Array>;
}

/** A signed request is good for this long; ms. */
const EXPIRY_MS = 3_600_000;
/** SHA-256 of nothing: what every SDK sends for a streamed body (protocols/greenfield/README.md#uploads). */
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Talks to one storage provider over Greenfield's gateway API, signed by one account (protocols/greenfield/README.md#gateway-routes). */
export class SpClient {
  readonly endpoint: URL;
  readonly #privateKey: Uint8Array;

  /** @param endpoint of the provider, for example `http://sp1.localhost:9033` */
  constructor(endpoint: string, privateKey: Uint8Array) {
    this.endpoint = new URL(endpoint);
    this.#privateKey = privateKey;
  }

  /**
   * Uploads the payload of an object that exists on chain.
   * @param size bytes of the payload
   * @param onProgress called with the number of bytes that were handed to the provider so far
   * @returns the durability that the provider states for its acknowledgement, where it states one
   */
  async put(
    address: ObjectAddress,
    payload: {
      readonly body: AsyncIterable<Uint8Array>;
      readonly size: number;
      readonly contentType: string;
    },
    options: RequestOptions & { readonly onProgress?: (bytes: number) => void } = {},
  ): Promise<string | undefined> {
    const headers = {
      'content-type': payload.contentType,
      'content-length': String(payload.size),
      'x-gnfd-content-sha256': EMPTY_SHA256,
    };
    const body = counted(payload.body, options.onProgress);
    const response = await this.#call({ method: 'PUT', address, headers, body }, options);
    await text(response);
    return durabilityOf(response);
  }

  /**
   * Uploads one part of a payload.
   * @param part whole segments from `offset` on, bytes; `complete` when nothing is missing any more
   * @param onProgress called with the number of bytes of this part that were handed to the provider so far
   * @returns as `put`
   */
  async putPart(
    address: ObjectAddress,
    part: { readonly offset: number; readonly complete: boolean; readonly bytes: Uint8Array },
    options: RequestOptions & { readonly onProgress?: (bytes: number) => void } = {},
  ): Promise<string | undefined> {
    const { offset, complete, bytes } = part;
    const headers = {
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.length),
      'x-gnfd-content-sha256': EMPTY_SHA256,
    };
    const query = `offset=${offset}&complete=${complete}`;
    const body = counted(Readable.from(pieces(bytes)), options.onProgress);
    const response = await this.#call({ method: 'POST', address, query, headers, body }, options);
    await text(response);
    return durabilityOf(response);
  }

  /** Bytes of a payload that the provider has already: where an upload in parts goes on. */
  async resumeOffset(address: ObjectAddress, options: RequestOptions = {}): Promise<number> {
    const response = await this.#call({ method: 'GET', address, query: 'upload-context=' }, options);
    return Number(parseXml(await text(response)).QueryResumeOffset?.Offset);
  }

  /** The bytes of an object, or of the range `from`–`to` (both included). */
  async get(
    address: ObjectAddress,
    options: RequestOptions & { readonly range?: { readonly from: number; readonly to?: number } } = {},
  ): Promise<AsyncIterable<Uint8Array>> {
    const { range } = options;
    const headers = range ? { range: `bytes=${range.from}-${range.to ?? ''}` } : {};
    return this.#call({ method: 'GET', address, headers }, options);
  }

  /**
   * The bytes of an object from one on, to the end.
   * @returns the body, and the byte with which it begins: 0 where the provider sends the whole object all the same
   * @throws as `get`; the body throws Retryable `sp-unreachable` when the connection breaks
   */
  async getFrom(
    address: ObjectAddress,
    offset: number,
    options: RequestOptions = {},
  ): Promise<{ readonly from: number; readonly body: AsyncIterable<Uint8Array> }> {
    const headers = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const response = await this.#call({ method: 'GET', address, headers }, options);
    const from = Number(/^bytes ([0-9]+)-/.exec(response.headers['content-range'] ?? '')?.[1] ?? 0);
    return { from, body: this.#bodyOf(response, options.signal) };
  }

  /** What the provider does with the object right now. */
  async progress(address: ObjectAddress, options: RequestOptions = {}): Promise<UploadProgress> {
    const response = await this.#call({ method: 'GET', address, query: 'upload-progress=' }, options);
    const { QueryUploadProgress: answer } = parseXml(await text(response));
    return { description: answer?.ProgressDescription ?? '', error: answer?.ErrorDescription ?? '' };
  }

  async *#bodyOf(
    response: IncomingMessage,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of response) yield chunk;
    } catch (cause) {
      throw unreachable(this.endpoint, cause as Error, signal);
    }
  }

  async #call(call: Call, { signal }: RequestOptions): Promise<IncomingMessage> {
    const { address, method } = call;
    const path = [address.bucketName, ...address.objectName.split('/')].map(encodeSegment).join('/');
    const target = `/${path}${call.query ? `?${call.query}` : ''}`;
    const now = Date.now();
    const headers = {
      ...call.headers,
      host: this.endpoint.host,
      'x-gnfd-date': rfc3339(now),
      'x-gnfd-expiry-timestamp': rfc3339(now + EXPIRY_MS),
    };
    const signable = { method, target, host: this.endpoint.host, headers: Object.entries(headers) };
    const authorization = signRequest(signable, this.#privateKey);
    const response = await send(
      this.endpoint,
      { ...call, target, headers: { ...headers, authorization } },
      signal,
    );
    if (response.statusCode === 200 || response.statusCode === 206) return response;
    throw refusal(response.statusCode ?? 0, await text(response));
  }
}

type Outgoing = Call & { readonly target: string; readonly headers: Readonly<Record<string, string>> };

function send(endpoint: URL, call: Outgoing, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request({
      host: endpoint.hostname,
      port: endpoint.port || 80,
      method: call.method,
      path: call.target,
      headers: call.headers,
      lookup: lookupLoopback,
      ...(signal ? { signal } : {}),
    });
    outgoing.once('response', resolve);
    outgoing.once('error', (cause) => reject(unreachable(endpoint, cause, signal)));
    if (!call.body) {
      outgoing.end();
      return;
    }
    // A provider that refuses early answers before it has read everything: the answer counts, not the broken pipe.
    pipeline(Readable.from(call.body, { objectMode: false }), outgoing).catch((cause) => {
      if (!outgoing.destroyed) outgoing.destroy();
      setImmediate(() => reject(unreachable(endpoint, cause, signal)));
    });
  });
}

/** Small enough that progress is smooth, bytes. */
const PIECE_BYTES = 256 * 1024;

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

function durabilityOf(response: IncomingMessage): string | undefined {
  const durability = response.headers['x-sealion-durability'];
  return typeof durability === 'string' ? durability : undefined;
}

async function* counted(
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

async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

interface KnownAnswers {
  readonly Error?: { readonly Code?: string; readonly Message?: string };
  readonly QueryResumeOffset?: { readonly Offset?: string };
  readonly QueryUploadProgress?: {
    readonly ProgressDescription?: string;
    readonly ErrorDescription?: string;
  };
}

function parseXml(xml: string): KnownAnswers {
  return new XMLParser({ parseTagValue: false }).parse(xml) as KnownAnswers;
}

/** The provider's error in our taxonomy: what is wrong with the request is Terminal, the rest may pass. */
function refusal(status: number, xml: string): SealionError {
  const { Error: answer } = parseXml(xml);
  const facts = {
    code: 'sp-refused',
    message: `The storage provider answered ${status}: ${printable(answer?.Message ?? 'no reason given')} (${answer?.Code ?? 'no code'}).`,
    gatewayCode: Number(answer?.Code ?? 0),
  };
  return status >= 500 || status === 429 || answer?.Code === '60003'
    ? new Retryable(facts)
    : new Terminal(facts);
}

function unreachable(endpoint: URL, cause: Error, signal: AbortSignal | undefined): SealionError {
  if (signal?.aborted) return new Cancelled({ code: 'aborted', message: 'The request was aborted.', cause });
  return new Retryable({
    code: 'sp-unreachable',
    message: `The storage provider at ${endpoint.origin} cannot be reached: ${cause.message}.`,
    advice: 'Check that it runs and that the address is right.',
    cause,
  });
}

function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
