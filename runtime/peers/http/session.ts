import { Cancelled, Retryable, SealionError, Terminal } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import { checksum } from '#protocols/integrity/checksums';
import type { Receipt } from '#protocols/job/context';
import {
  INTEGRITY_SIGNATURE_HEADER,
  RECEIVE_MESSAGE_HEADER,
  REPLICATE_PIECE_PATH,
} from '#protocols/replication/receive-message';
import { pause } from '../../async/pause.ts';
import { TRACEPARENT } from '../../telemetry/traces.ts';
import type { ColumnOffer, PeerOptions, ReplicationSession } from '../peers.ts';
import type { ColumnTask } from './column-task.ts';
import type { HttpAnswer, HttpLinks } from './links.ts';
import { refusal } from './refusals.ts';

/** Times of the requests of a session, ms. */
export interface HttpTimes {
  /** Time limit of one request, to the last byte of its answer. */
  readonly request: number;
  /** Pause before the same request is repeated. */
  readonly pause: number;
}

/** The values of today's SPs (protocols/replication/README.md#receive-tasks-over-http). */
export const HTTP_TIMES: HttpTimes = { request: 10_000, pause: 500 };

/** Number of times that one request is sent. */
const TRIES = 3;
const RECEIPT_REFUSED = 'receipt-refused';
const BLS_SIGNATURE = /^[0-9a-f]{192}$/;

export interface HttpSessionOptions {
  readonly offer: ColumnOffer;
  /** Endpoint of the secondary. */
  readonly endpoint: string;
  readonly task: ColumnTask;
  readonly links: HttpLinks;
  readonly times: HttpTimes;
  readonly firstMissing: number;
  /**
   * Called with the number of pieces, from the first on, that the secondary has; with 0 when it says that some are
   * missing or wrong.
   */
  readonly onProgress: (pieces: number) => void;
}

/** The transfer of one column over HTTP: a PUT for each piece, and one that ends the column. */
export class HttpSession implements ReplicationSession {
  readonly firstMissing: number;
  readonly #options: HttpSessionOptions;
  readonly #closed = new AbortController();
  #turn: Promise<void> = Promise.resolve();

  constructor(options: HttpSessionOptions) {
    this.#options = options;
    this.firstMissing = options.firstMissing;
  }

  async send(
    piece: { readonly segmentIndex: number; readonly bytes: Uint8Array },
    options: PeerOptions = {},
  ): Promise<void> {
    const sent = this.#turn.then(() => this.#send(piece, options));
    this.#turn = sent.catch(() => undefined);
    await sent;
  }

  async #send(
    { segmentIndex, bytes }: { readonly segmentIndex: number; readonly bytes: Uint8Array },
    { signal }: PeerOptions,
  ): Promise<void> {
    const { task, onProgress } = this.#options;
    const pieceChecksum = checksum(bytes);
    const header = await task.header({ segmentIndex, pieceSize: bytes.length, pieceChecksum });
    await this.#put(header, bytes, 'offer-refused', signal);
    onProgress(segmentIndex + 1);
  }

  async done(checksums: readonly Hex[], { signal }: PeerOptions = {}): Promise<Receipt> {
    const { task, offer, onProgress } = this.#options;
    const { redundancyIndex, gvgId, to: spId } = offer;
    const integrityHash = checksums[redundancyIndex + 1];
    if (integrityHash === undefined)
      throw notTaken(`there is no integrity hash of column ${redundancyIndex}`);
    const header = await task.header({ finished: true, checksums });
    try {
      const { headers } = await this.#put(header, undefined, RECEIPT_REFUSED, signal);
      const blsSignature = String(headers[INTEGRITY_SIGNATURE_HEADER.toLowerCase()]).toLowerCase();
      if (!BLS_SIGNATURE.test(blsSignature)) throw notTaken(`sp ${spId} sent no BLS signature`);
      return { redundancyIndex, spId, gvgId, integrityHash, approvalSignature: '', blsSignature };
    } catch (error) {
      // The missing or wrong piece may be one that the secondary accepted before.
      if (error instanceof SealionError && error.code === RECEIPT_REFUSED) onProgress(0);
      throw error;
    }
  }

  close(): void {
    this.#closed.abort(
      new Cancelled({ code: 'session-closed', message: 'The column is no longer being sent.' }),
    );
  }

  /**
   * Sends the request, and repeats it when that may help. @throws as `refusal` with that code, or Retryable
   * `peer-unreachable`
   */
  async #put(
    header: string,
    body: Uint8Array | undefined,
    code: string,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    const { times } = this.#options;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#try(header, body, code, signal);
      } catch (error) {
        if (!(error instanceof Retryable) || tries === TRIES) throw error;
      }
      await pause(times.pause, signal, this.#closed.signal);
    }
  }

  async #try(
    header: string,
    body: Uint8Array | undefined,
    code: string,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    const { offer, endpoint, links, times } = this.#options;
    const call = {
      method: 'PUT',
      endpoint,
      path: REPLICATE_PIECE_PATH,
      headers: {
        [RECEIVE_MESSAGE_HEADER]: header,
        ...(offer.trace !== undefined && { [TRACEPARENT]: offer.trace }),
      },
      ...(body && { body }),
    } as const;
    const answer = await links.call(call, {
      timeoutMs: times.request,
      signals: [signal, this.#closed.signal],
    });
    if (answer.status === 200) return answer;
    throw await refusal(code, offer.to, answer);
  }
}

function notTaken(why: string): Terminal {
  return new Terminal({ code: RECEIPT_REFUSED, message: `No receipt for the column: ${why}.` });
}
