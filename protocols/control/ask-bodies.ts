import { z } from 'zod';

/**
 * Bodies of the control messages by which SPs agree to store a column. What the header says (job, sender, receiver,
 * expiry) is not said again. `re` in an answer is the nonce of the message answered: it ties the answer to one
 * question.
 */

export const spId = z.int().positive();
export const gvgId = z.int().positive();
export const redundancyIndex = z.int().min(0).max(255);
export const nonce = z.string().regex(/^[0-9a-f]{32}$/);
/** Object names have up to 1024 bytes. */
export const name = z.string().max(1024);
export const size = z.int().nonnegative();
export const redundancy = z.enum(['EC', 'REPLICA']);
export const code = z.string().max(100);
export const reason = z.string().max(1000);

/** A primary's question to all members of its candidate groups, best group first. */
export const askBody = z.strictObject({
  bucketName: name,
  objectName: name,
  payloadSize: size,
  redundancy,
  groups: z
    .array(z.strictObject({ gvgId, secondarySpIds: z.array(spId).min(1).max(256) }))
    .min(1)
    .max(100),
});
export type AskBody = z.infer<typeof askBody>;

/**
 * A primary's question to one member of one group: room for so many small columns of any objects, and this one is among
 * them. A column is small when it goes with its offer.
 */
export const standingAskBody = askBody.omit({ groups: true }).extend({
  secondarySpIds: z.array(spId).min(1).max(256),
  columns: z.int().min(1).max(1_000),
});

/** The answer: a signed approval for the place that the question was about, base64. */
export const standingAnswerBody = z.strictObject({ re: nonce, approval: z.base64() });

/** That approval. It goes back with every offer that uses it, until it expires or its columns are used up. */
export const standingApprovalBody = z.strictObject({ re: nonce, columns: z.int().min(1).max(1_000) });

/** One member's answer for all its places in the groups. It holds until the message expires. */
export const approvalBody = z.strictObject({
  re: nonce,
  granted: z.array(z.strictObject({ gvgId, redundancyIndex })).max(1000),
  refused: z.array(z.strictObject({ gvgId, code, reason })).max(1000),
});
export type ApprovalBody = z.infer<typeof approvalBody>;
