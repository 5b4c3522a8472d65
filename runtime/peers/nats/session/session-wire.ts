import { headers, type Msg, type MsgHdrs } from '@nats-io/nats-core';
import { z } from 'zod';
import { Retryable, type SealionError } from '#protocols/errors';

/**
 * The unsigned messages of a session. Only the two ends know the random token in the session's subject, and a message
 * can at most end the session: stored bytes are checked against the chain. Positions are bytes from the start of the
 * session's stream.
 */

const position = z.int().nonnegative();

const demandForm = z.object({ want: position, sent: position });
/** Sender: I have bytes to send up to `want`, and have sent those up to `sent`. Also sent as a sign of life. */
export type Demand = z.infer<typeof demandForm>;

const creditForm = z.object({ granted: position, consumed: position });
/** Receiver: you may send up to `granted`; bytes up to `consumed` have left my memory. Answers every demand. */
export type Credit = z.infer<typeof creditForm>;

const abortForm = z.object({ code: z.string().max(100), message: z.string().max(1000) });
/** Either end: the session ends early. */
export type Abort = z.infer<typeof abortForm>;

/** Undefined for a message that is not a demand. */
export function readDemand(message: Msg): Demand | undefined {
  return read(demandForm, message);
}

/** Undefined for a message that is not a credit. */
export function readCredit(message: Msg): Credit | undefined {
  return read(creditForm, message);
}

/** Undefined for a message that is not an abort. */
export function readAbort(message: Msg): Abort | undefined {
  return read(abortForm, message);
}

export function writeAbort(reason: SealionError): string {
  const abort: Abort = { code: reason.code, message: reason.message.slice(0, 1000) };
  return JSON.stringify(abort);
}

/** The error at the end that received an abort. */
export function sessionAborted(abort: Abort): Retryable {
  return new Retryable({
    code: 'session-aborted',
    message: `The other SP ended the session: ${abort.message} (${abort.code})`,
    advice: 'The next offer continues where this one ended.',
  });
}

const AT = 'At';

/** Header of a piece message: the position of its first byte. The body is bytes of the column and nothing else. */
export function pieceHeaders(at: number): MsgHdrs {
  const header = headers();
  header.set(AT, String(at));
  return header;
}

/** Position of a piece message; NaN when it has none. */
export function piecePosition(message: Msg): number {
  return Number(message.headers?.get(AT) || Number.NaN);
}

function read<T>(form: z.ZodType<T>, message: Msg): T | undefined {
  try {
    return form.safeParse(JSON.parse(message.string())).data;
  } catch {
    return undefined;
  }
}
