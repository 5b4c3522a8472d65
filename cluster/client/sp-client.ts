import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { durabilityOf, parseXml, text } from './sp-answers.ts';
import { type Call, type ObjectAddress, requestSigned, unreachable } from './sp-request.ts';
import { counted, pieces } from './upload-body.ts';

export type { ObjectAddress } from './sp-request.ts';

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

/** The provider's report about an object that is not sealed yet. */
export interface UploadProgress {
  readonly description: string;
  /** Empty when there is no error. */
  readonly error: string;
}

/** SHA-256 of the empty string, which every SDK sends for a streamed body (protocols/greenfield/README.md#uploads). */
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/**
 * A client of one storage provider, over Greenfield's gateway API and signed by one account
 * (protocols/greenfield/README.md#gateway-routes).
 */
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
   * @param onProgress called with the number of bytes sent so far
   * @returns the durability that the provider states for its acknowledgement, if any
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
   * @param part whole segments from `offset` on, bytes; `complete` for the part after which nothing is missing
   * @param onProgress called with the number of bytes of this part sent so far
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

  /**
   * Number of bytes from the start of the payload that the provider already has: where an upload in parts continues.
   */
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
   * @returns the body, and the position of its first byte: 0 when the provider sends the whole object nevertheless
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

  /** The state of the object at the provider. */
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

  #call(call: Call, { signal }: RequestOptions): Promise<IncomingMessage> {
    return requestSigned(this.endpoint, this.#privateKey, call, signal);
  }
}
