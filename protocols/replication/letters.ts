import { z } from 'zod';
import { name, redundancy, size } from '../approval/bodies.ts';
import { checksums, receiptBody, refusalBody } from './bodies.ts';

/**
 * Bodies of what travels in bundles (`bundle.ts`): messages without a signature of their own. `re` in an answer is
 * the nonce of the letter answered.
 */

/** A small column with its offer; the answer is a receipt or a refusal, and nothing comes between. */
const columnBody = z.strictObject({
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

/** The body of each kind of letter. */
export const LETTER_BODIES = {
  column: columnBody,
  receipt: receiptBody,
  /** `read`: the secondary has looked at the bytes themselves. */
  refusal: refusalBody.extend({ read: z.boolean() }),
} as const;

export type LetterKind = keyof typeof LETTER_BODIES;
export type LetterBody<K extends LetterKind> = z.infer<(typeof LETTER_BODIES)[K]>;
