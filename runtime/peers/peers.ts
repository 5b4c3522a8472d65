import type { Hex, Redundancy } from '#protocols/greenfield/types';
import type { Receipt } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';

export interface PeerOptions {
  readonly signal?: AbortSignal;
}

/** What a primary asks all members of its candidate groups at once (ARCHITECTURE.md#the-two-nats-planes, `approval.ask`). */
export interface ApprovalAsk {
  readonly job: JobId;
  /** Sp id of the asker. */
  readonly primarySpId: number;
  readonly bucketName: string;
  readonly objectName: string;
  /** Bytes. */
  readonly payloadSize: number;
  readonly redundancy: Redundancy;
  /** GVGs with free capacity and all members in service, best first. */
  readonly groups: readonly { readonly gvgId: number; readonly secondarySpIds: readonly number[] }[];
}

/** One member's answer for every place it holds in the asked groups. */
export interface ApprovalAnswer {
  readonly spId: number;
  /** Unix ms. */
  readonly expiresAt: number;
  readonly granted: readonly { readonly gvgId: number; readonly redundancyIndex: number }[];
  readonly refused: readonly { readonly gvgId: number; readonly code: string; readonly reason: string }[];
  /** The signed control message, base64: goes back with the offer. Empty for an admission over HTTP. */
  readonly message: string;
}

/** What a primary offers to one secondary: one column of one object. */
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
  /** The receiver's own approval, base64; empty where the column goes over HTTP. */
  readonly approval: string;
  /** The seven integrity hashes. */
  readonly checksums: readonly Hex[];
}

/** The primary's side of one column on its way. One port for the NATS wire and for HTTP (ARCHITECTURE.md#the-two-nats-planes). */
export interface ReplicationSession {
  /** First segment whose piece the secondary does not have; equals the segment count when it has all. */
  readonly firstMissing: number;
  /**
   * Sends the piece of one segment; pieces go in segment order, and one may be given while the one before is being
   * sent. Resolves when the receiver's credit has let
   * every byte leave.
   */
  send(
    piece: { readonly segmentIndex: number; readonly bytes: Uint8Array },
    options?: PeerOptions,
  ): Promise<void>;
  /**
   * Tells the secondary that all is sent, and waits for its receipt, which over HTTP has no approval signature.
   * Signatures are checked by the caller.
   * @throws Terminal `receipt-refused` with the secondary's reason
   */
  done(checksums: readonly Hex[], options?: PeerOptions): Promise<Receipt>;
  /** Ends the session; safe to call at any time, more than once. */
  close(): void;
}

/** How a primary reaches other SPs. */
export interface PeerClient {
  /**
   * Answers as they come, signature and sender checked against the chain, until `timeoutMs` or the signal. Who
   * answers over HTTP alone is admitted or refused by what it shows of itself.
   */
  ask(ask: ApprovalAsk, options: PeerOptions & { readonly timeoutMs: number }): AsyncIterable<ApprovalAnswer>;
  /**
   * Offers a column and waits until the secondary accepts.
   * @param column the whole column, where it is small (64 KiB) and may ride in the offer.
   * @throws Retryable `peer-unreachable`, `offer-refused` (lag, budget); Terminal `offer-refused` (never)
   */
  open(
    offer: ColumnOffer,
    options: PeerOptions & { readonly column?: readonly Uint8Array[] },
  ): Promise<ReplicationSession>;
}

/** A column that another SP holds, or, asked of its primary, one that it can make from its segments. */
export interface ColumnRequest {
  readonly job: JobId;
  /** Sp id of whom is asked. */
  readonly to: number;
  /** The group that the object was sealed with. */
  readonly gvgId: number;
  /** Of the column. A secondary is asked for its own column, the primary for the asker's. */
  readonly redundancyIndex: number;
}

export interface PieceRequest extends ColumnRequest {
  readonly segmentIndex: number;
  /** Bytes of the piece. */
  readonly length: number;
}

/** Where an SP that has lost something gets it from. Nothing that comes from here was checked against the chain. */
export interface PieceSource {
  /**
   * A stored piece, of exactly the length that was asked for.
   * @throws Retryable `peer-unreachable`, `fetch-refused`, `wrong-length`; Terminal `fetch-refused`; Cancelled
   */
  fetchPiece(request: PieceRequest, options?: PeerOptions): Promise<Uint8Array>;
  /**
   * The checksums of all pieces of a column, in segment order; undefined where the wire does not carry them.
   * @throws as `fetchPiece`
   */
  fetchChecksums(
    request: ColumnRequest & { readonly segmentCount: number },
    options?: PeerOptions,
  ): Promise<readonly Hex[] | undefined>;
}

/** What another SP asks for; its signature is checked, its right to ask is not. */
export interface InboundFetch {
  readonly from: number;
  readonly job: JobId;
  readonly gvgId: number;
  readonly redundancyIndex: number;
  /** Absent: the column's piece checksums are asked for, 32 bytes each. */
  readonly segmentIndex?: number;
  /** Within the piece or the list; bytes. */
  readonly offset: number;
  readonly length: number;
}

/** The secondary's side. */
export interface PeerHost {
  /** Answers asks until the signal fires; undefined: we are not listed, stay silent. */
  serveAsks(
    answer: (ask: ApprovalAsk, signal: AbortSignal) => Promise<Omit<ApprovalAnswer, 'message'> | undefined>,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
  /**
   * Offers as they come, at most `limit` open at once. Signature and sender are checked, and that the approval in each
   * is our own and holds.
   */
  offers(options: { readonly limit: number; readonly signal: AbortSignal }): AsyncIterable<InboundOffer>;
  /**
   * Answers the fetches of other SPs until the signal fires. What `answer` throws goes back to the asker with its
   * code; what it returns must have the length that was asked for.
   */
  serveRecovery(
    answer: (fetch: InboundFetch, signal: AbortSignal) => Promise<Uint8Array>,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
}

/** An offer held un-acked in our mailbox; renewed by itself until it is settled. */
export interface InboundOffer {
  readonly offer: ColumnOffer;
  /** True when the whole column came with it: nothing is saved by accepting less. */
  readonly carriesColumn?: boolean;
  /** Says that we want the column from a segment on. The pieces end with the primary's `done`. */
  accept(firstMissing: number, options?: PeerOptions): Promise<InboundSession>;
  /** Sends a receipt, now or stored from before, and settles the offer. */
  receipt(receipt: Receipt): Promise<void>;
  /** Refuses and settles the offer. */
  refuse(refusal: OfferRefusal): Promise<void>;
  /** Leaves the offer for a later delivery. */
  postpone(delayMs: number): Promise<void>;
}

/** Why a secondary does not take a column. */
export interface OfferRefusal {
  readonly code: string;
  readonly reason: string;
  /** True when another try can help. */
  readonly again: boolean;
}

export interface InboundSession {
  /** Pieces in segment order. The next one begins when the bytes of the last were consumed; that is the credit. */
  pieces(options?: PeerOptions): AsyncIterable<InboundPiece>;
  /** The seven integrity hashes of the primary's `done`; resolves after the last piece. */
  done(options?: PeerOptions): Promise<readonly Hex[]>;
  close(): void;
}

export interface InboundPiece {
  readonly segmentIndex: number;
  /** Bytes. */
  readonly size: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}
