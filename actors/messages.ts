import type { Hex, ObjectOnChain, Visibility } from '#protocols/greenfield/types';
import type { JobContext, JobObject, Receipt } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import type { SegmentRange } from '#protocols/payload/part';
import type { ReceivedTask } from '#protocols/replication/receive-message';
import type { ReadRecoveryTask } from '#protocols/replication/recovery-message';
import type { Reply } from '#runtime/actors/types';
import type { Durability } from '#runtime/home/home';

/*
 * What the gateway asks of the pipeline: the only part of `actors/` that `gateway/` may import.
 */

/** Asked of `objects`, as the primary. */
export type ObjectsMessage =
  | { readonly type: 'upload'; readonly request: UploadRequest; readonly reply: Reply<Acknowledgement> }
  | { readonly type: 'progress'; readonly job: JobId; readonly reply: Reply<JobContext | undefined> };

/** One PUT, or one part of an upload in parts, already authenticated and permitted. */
export interface UploadRequest {
  readonly job: JobId;
  readonly object: JobObject;
  /** The account that was authorised: only a request of the same one may take the place of one that has gone silent. */
  readonly account: string;
  /** The payload, or the part; the uploader pulls it. */
  readonly body: PayloadStream;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
  /** The traceparent of the request, where it is traced. */
  readonly trace?: string;
  /** Absent when the body is the whole payload. */
  readonly part?: UploadPart;
}

/** A payload on its way in. It throws when the client hangs up or trickles. */
export interface PayloadStream extends AsyncIterable<Uint8Array> {
  /** How long the client has been waited for without a byte, ms; 0 while it is not waited for. */
  silentMs(): number;
}

/** What one part of a payload holds. Parts may come in any order, and again. */
export interface UploadPart extends SegmentRange {
  /** True when the payload is whole with it. */
  readonly complete: boolean;
}

/** What stands behind a 200. */
export interface Acknowledgement {
  readonly job: JobId;
  /** Absent after a part with which the payload is not whole yet. */
  readonly integrityHash?: Hex;
  readonly durability: Durability;
}

/** Asked of `receivers`, as a secondary: the tasks of the HTTP wire between SPs, whose signer is known. */
export type ReceptionMessage =
  /** Answered when the piece is stored, or was already. */
  | {
      readonly type: 'receive-piece';
      readonly task: ReceivedTask;
      /** It throws when the primary hangs up or trickles, and when it has not the size of the task. */
      readonly body: AsyncIterable<Uint8Array>;
      readonly reply: Reply<void>;
    }
  | { readonly type: 'finish-column'; readonly task: ReceivedTask; readonly reply: Reply<Receipt> };

/** Asked of `repairer`, which makes again what is lost. */
export type RepairMessage =
  /**
   * A reader has found a segment of the primary missing or damaged. Answered with its bytes, verified against the
   * chain, before it is written back.
   */
  | {
      readonly type: 'recover-segment';
      readonly job: JobId;
      readonly segmentIndex: number;
      /** The traceparent of the reader, where it is traced. */
      readonly trace?: string;
      readonly reply: Reply<Uint8Array>;
    }
  /** Another SP repairs what it stores, over HTTP; its signer is known, its right to ask is not. */
  | { readonly type: 'serve-piece'; readonly task: ReadRecoveryTask; readonly reply: Reply<Uint8Array> };

/** Asked of `announcer`, which acts on chain for clients that let their primary do so (delegated uploads). */
export interface AnnouncerMessage {
  readonly type: 'announce';
  readonly announcement: Announcement;
  readonly reply: Reply<Announced>;
}

/** What is put on chain for a client, without checksums: MsgDelegateCreateObject, MsgDelegateUpdateObjectContent. */
export type Announcement = NewObject | NewContent;

interface Content {
  readonly bucketName: string;
  readonly objectName: string;
  /** Bytes. */
  readonly payloadSize: number;
  readonly contentType: string;
}

export interface NewObject extends Content {
  readonly kind: 'create-object';
  /** The client's account. */
  readonly creator: string;
  readonly visibility: Visibility;
}

export interface NewContent extends Content {
  readonly kind: 'update-object';
  /** The client's account. */
  readonly updater: string;
}

export interface Announced {
  /** The object as the chain has it now. */
  readonly onChain: ObjectOnChain;
  /** Absent where it was another transaction, of whomever, that put it there. */
  readonly transactionHash?: string;
}
