import { headers, type Msg, type PublishOptions } from '@nats-io/nats-core';
import { z } from 'zod';
import { Retryable, type SealionError, Terminal } from '#protocols/errors';

/**
 * Answers to fetches are unsigned: their bytes are checked against the chain, and a forged refusal could only send
 * the requester to another SP. A header distinguishes a refusal from bytes.
 */
const REFUSAL = 'Refusal';

const refusalForm = z.object({
  code: z.string().max(100),
  message: z.string().max(1000),
  again: z.boolean(),
});

/** Body and options of a refusal. */
export function writeRefusal({ code, message, kind }: SealionError): [string, PublishOptions] {
  const header = headers();
  header.set(REFUSAL, '1');
  const refusal = { code, message: message.slice(0, 1000), again: kind !== 'terminal' };
  return [JSON.stringify(refusal), { headers: header }];
}

/** The refusal in an answer as an error of code `fetch-refused`; undefined when the answer holds bytes. */
export function readRefusal(
  answer: Msg,
  spId: number,
): { readonly code: string; readonly error: SealionError } | undefined {
  if (!answer.headers?.has(REFUSAL)) return undefined;
  let refusal: z.infer<typeof refusalForm>;
  try {
    refusal = refusalForm.parse(JSON.parse(answer.string()));
  } catch {
    refusal = { code: 'unreadable', message: 'its reason cannot be read', again: true };
  }
  const facts = {
    code: 'fetch-refused',
    message: `Storage provider ${spId} refused to serve the piece: ${refusal.message} (${refusal.code})`,
  };
  return { code: refusal.code, error: refusal.again ? new Retryable(facts) : new Terminal(facts) };
}
