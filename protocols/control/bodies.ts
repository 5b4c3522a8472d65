import { z } from 'zod';
import {
  approvalBody,
  askBody,
  code,
  name,
  nonce,
  reason,
  redundancy,
  size,
  standingApprovalBody,
} from './ask-bodies.ts';

/**
 * Bodies of the control messages around one column, with those of asks (`ask-bodies.ts`). What the header says (job, group,
 * index, sender, receiver) is not said again; `re` is the nonce of the message answered.
 */

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** One for the primary and one for each column; none before they are known (delegated uploads). */
const checksums = z.array(sha256).max(257);
/** 128 random bits: part of the subject on which a session's pieces travel. */
const token = z.string().regex(/^[0-9a-f]{32}$/);

/** One column for one secondary: what it is, and the secondary's own approval. */
export const columnBody = z.strictObject({
  bucketName: name,
  objectName: name,
  payloadSize: size,
  redundancy,
  maxSegmentSize: z.int().positive(),
  dataChunks: z.int().min(1).max(256),
  parityChunks: z.int().min(0).max(255),
  checksums,
  /** The receiver's own approval, base64, as it came. */
  approval: z.base64(),
});

/** A primary offers one column to one secondary; `token` is that of the primary's end. */
const offerBody = columnBody.extend({ token });

/** The secondary wants the column from a segment on. */
const acceptBody = z.strictObject({
  re: nonce,
  firstMissing: size,
  /** Where the secondary listens. */
  token,
});

/** The primary has sent all. */
const doneBody = z.strictObject({
  re: nonce,
  checksums,
  /** Bytes that went over the wire in this session. */
  sent: size,
});

/** The secondary has stored, checked and signed. */
export const receiptBody = z.strictObject({
  re: nonce,
  integrityHash: sha256,
  approvalSignature: z.string().regex(/^[0-9a-f]{130}$/),
  blsSignature: z.string().regex(/^[0-9a-f]{192}$/),
});

/** The secondary does not take the column, or does not vouch for it. */
export const refusalBody = z.strictObject({
  re: nonce,
  code,
  reason,
  /** True when another try may help. */
  again: z.boolean(),
});

/** Bytes that one fetch may ask for; it goes with its answer into one NATS message. */
export const MAX_FETCH_BYTES = 512 * 1024;

/**
 * An SP that repairs what it stores asks for a part of a column that the receiver holds, or, asked by a secondary,
 * can make from the primary's segments. The answer is unsigned bytes, since they are checked against the chain.
 */
const fetchBody = z.strictObject({
  /** Without it, the column's piece checksums are asked for, 32 bytes each in segment order. */
  segmentIndex: size.exactOptional(),
  /** Within the piece, or within the list of checksums; bytes. */
  offset: size,
  length: z.int().min(1).max(MAX_FETCH_BYTES),
});

/** The body of each kind of control message. */
export const CONTROL_BODIES = {
  ask: askBody,
  approval: approvalBody,
  'standing-approval': standingApprovalBody,
  offer: offerBody,
  accept: acceptBody,
  done: doneBody,
  receipt: receiptBody,
  refusal: refusalBody,
  fetch: fetchBody,
} as const;

export type ControlKind = keyof typeof CONTROL_BODIES;
export type ControlBody<K extends ControlKind> = z.infer<(typeof CONTROL_BODIES)[K]>;
