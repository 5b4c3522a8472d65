import type { Hex, Redundancy } from '#protocols/greenfield/types';
import type { Receipt } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';

export interface PeerOptions {
  readonly signal?: AbortSignal;
}

/**
 * The question of a primary to all members of its candidate groups, asked at once (ARCHITECTURE.md#the-two-nats-planes,
 * `approval.ask`).
 */
export interface ApprovalAsk {
  readonly job: JobId;
  /** SP id of the requester. */
  readonly primarySpId: number;
  readonly bucketName: string;
  readonly objectName: string;
  /** Bytes. */
  readonly payloadSize: number;
  readonly redundancy: Redundancy;
  /** GVGs with free capacity and all members in service, best first. */
  readonly groups: readonly { readonly gvgId: number; readonly secondarySpIds: readonly number[] }[];
  /** Only where an SP is asked: room for so many columns of at most 64 KiB, of any objects, and not for this one. */
  readonly standing?: { readonly columns: number };
  /** The traceparent of the ask, where it is traced; beside the message and not signed. */
  readonly trace?: string;
}

/** One member's answer for all its places in the asked groups. */
export interface ApprovalAnswer {
  readonly spId: number;
  /** Unix ms. */
  readonly expiresAt: number;
  readonly granted: readonly { readonly gvgId: number; readonly redundancyIndex: number }[];
  readonly refused: readonly { readonly gvgId: number; readonly code: string; readonly reason: string }[];
  /** The signed control message, base64, to be sent with the offer. Empty for an admission over HTTP. */
  readonly message: string;
}

/** The offer of a primary to one secondary: one column of one object. */
export interface ColumnOffer {
  readonly job: JobId;
  readonly from: number;
  readonly to: number;
  readonly gvgId: number;
  readonly redundancyIndex: number;
  readonly bucketName: string;
  readonly objectName: string;
  readonly payloadSize: number;
  readonly redundancy: Redundancy;
  readonly maxSegmentSize: number;
  readonly dataChunks: number;
  readonly parityChunks: number;
  /** The receiver's own approval, base64; empty when the column is sent over HTTP. */
  readonly approval: string;
  /** The seven integrity hashes. */
  readonly checksums: readonly Hex[];
  /** The traceparent of the column, where it is traced; beside the message and not signed. */
  readonly trace?: string;
}

export interface OutboundPiece {
  readonly segmentIndex: number;
  readonly bytes: Uint8Array;
  /** Called once the bytes have certainly left this process, so that their memory may be used again; perhaps never. */
  readonly giveBack?: () => void;
}

/**
 * The primary's side of the transfer of one column. One port for NATS and HTTP (ARCHITECTURE.md#the-two-nats-planes).
 */
export interface ReplicationSession {
  /** First segment whose piece the secondary does not have; the segment count when it has all. */
  readonly firstMissing: number;
  /** Bytes of pieces that have been sent with the offer; none by default. */
  readonly sentBytes?: number;
  /**
   * Sends the piece of one segment. Pieces are sent in segment order; the next one may be passed before the previous
   * one has been sent. Resolves when all bytes have been sent, as the receiver's credit allows.
   */
  send(piece: OutboundPiece, options?: PeerOptions): Promise<void>;
  /**
   * Tells the secondary that all bytes were sent, and waits for its receipt, which over HTTP has no approval signature.
   * The caller checks the signatures.
   * @throws Terminal `receipt-refused` with the secondary's reason
   */
  done(checksums: readonly Hex[], options?: PeerOptions): Promise<Receipt>;
  /** Ends the session; may be called at any time, and repeatedly. */
  close(): void;
}

/** How a primary reaches other SPs. */
export interface PeerClient {
  /**
   * Yields answers as they arrive, their signature and sender checked against the chain, until `timeoutMs` or the
   * signal. An SP that answers over HTTP alone is admitted or refused by its status.
   */
  ask(ask: ApprovalAsk, options: PeerOptions & { readonly timeoutMs: number }): AsyncIterable<ApprovalAnswer>;
  /**
   * Offers a column and waits until the secondary accepts it.
   * @param column the whole column, if it is small (64 KiB) and may be sent with the offer
   * @throws Retryable `peer-unreachable`, `offer-refused` (lag, budget); Terminal `offer-refused` (never)
   */
  open(
    offer: ColumnOffer,
    options: PeerOptions & { readonly column?: readonly Uint8Array[] },
  ): Promise<ReplicationSession>;
}

/** A column that another SP holds, or that its primary can compute from the segments. */
export interface ColumnRequest {
  readonly job: JobId;
  /** SP id of the holder that is asked. */
  readonly to: number;
  /** The group in which the object was sealed. */
  readonly gvgId: number;
  /** Index of the column. A secondary is asked for its own column, the primary for the requester's. */
  readonly redundancyIndex: number;
  /** The traceparent of the repair, where it is traced; beside the message and not signed. */
  readonly trace?: string;
}

export interface PieceRequest extends ColumnRequest {
  readonly segmentIndex: number;
  /** Bytes of the piece. */
  readonly length: number;
}

/** Fetches pieces and checksums from other SPs, for repairs. The results are not checked against the chain. */
export interface PieceSource {
  /**
   * A stored piece of exactly the requested length.
   * @throws Retryable `peer-unreachable`, `fetch-refused`, `wrong-length`; Terminal `fetch-refused`; Cancelled
   */
  fetchPiece(request: PieceRequest, options?: PeerOptions): Promise<Uint8Array>;
  /**
   * The checksums of all pieces of a column, in segment order; undefined when the wire does not support that.
   * @throws as `fetchPiece`
   */
  fetchChecksums(
    request: ColumnRequest & { readonly segmentCount: number },
    options?: PeerOptions,
  ): Promise<readonly Hex[] | undefined>;
}

/** A request of another SP; its signature is checked, its permission is not. */
export interface InboundFetch {
  readonly from: number;
  readonly job: JobId;
  readonly gvgId: number;
  readonly redundancyIndex: number;
  /** Absent: the piece checksums of the column are requested, 32 bytes each. */
  readonly segmentIndex?: number;
  /** Within the piece or the list; bytes. */
  readonly offset: number;
  readonly length: number;
  /** The traceparent that came beside it. */
  readonly trace?: string;
}

/** The secondary's side. */
export interface PeerHost {
  /** Answers asks until the signal fires. When `answer` returns undefined, this SP is not listed and stays silent. */
  serveAsks(
    answer: (ask: ApprovalAsk, signal: AbortSignal) => Promise<Omit<ApprovalAnswer, 'message'> | undefined>,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
  /**
   * Yields offers as they arrive, at most `limit` open at once. Their signature and sender are checked, and that the
   * approval in each is our own and still valid.
   */
  offers(options: { readonly limit: number; readonly signal: AbortSignal }): AsyncIterable<InboundOffer>;
  /**
   * Answers the fetches of other SPs until the signal fires. An error of `answer` is returned to the requester with its
   * code; the bytes must have the requested length.
   */
  serveRecovery(
    answer: (fetch: InboundFetch, signal: AbortSignal) => Promise<Uint8Array>,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
}

/** An offer held un-acked in our mailbox, and renewed automatically until it is answered or postponed. */
export interface InboundOffer {
  readonly offer: ColumnOffer;
  /** True when the whole column came with the offer, so that accepting less of it saves nothing. */
  readonly carriesColumn?: boolean;
  /** Requests the column from a segment on. The pieces end with the primary's `done`. */
  accept(firstMissing: number, options?: PeerOptions): Promise<InboundSession>;
  /** Sends a new or stored receipt, and completes the offer. */
  receipt(receipt: Receipt): Promise<void>;
  /** Refuses and completes the offer. */
  refuse(refusal: OfferRefusal): Promise<void>;
  /** Returns the offer for a later delivery. */
  postpone(delayMs: number): Promise<void>;
}

/** The reason for which a secondary refuses a column. */
export interface OfferRefusal {
  readonly code: string;
  readonly reason: string;
  /** True when another try may succeed. */
  readonly again: boolean;
}

export interface InboundSession {
  /**
   * Pieces in segment order. Reading the next one reports the bytes of the previous one as consumed, which gives the
   * sender credit.
   */
  pieces(options?: PeerOptions): AsyncIterable<InboundPiece>;
  /** The seven integrity hashes in the primary's `done`; resolves after the last piece. */
  done(options?: PeerOptions): Promise<readonly Hex[]>;
  close(): void;
}

export interface InboundPiece {
  readonly segmentIndex: number;
  /** Bytes. */
  readonly size: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}
