import { z } from 'zod';
import { standingAnswerBody, standingAskBody } from '../control/ask-bodies.ts';
import { columnBody, receiptBody, refusalBody } from '../control/bodies.ts';

/**
 * Bodies of what travels in bundles (`bundle.ts`): messages without a signature of their own. `re` in an answer is
 * the nonce of the letter answered.
 */

/** The body of each kind of letter. */
export const LETTER_BODIES = {
  /** A small column with its offer; the answer is a receipt or a refusal, and nothing comes between. */
  column: columnBody,
  receipt: receiptBody,
  /** Asked of a member for its place in a group; the answer is a standing approval or a refusal. */
  'standing-ask': standingAskBody,
  'standing-approval': standingAnswerBody,
  /** `read`: the secondary has looked at the bytes themselves. */
  refusal: refusalBody.extend({ read: z.boolean() }),
} as const;

export type LetterKind = keyof typeof LETTER_BODIES;
export type LetterBody<K extends LetterKind> = z.infer<(typeof LETTER_BODIES)[K]>;
