import { Retryable, type SealionError, Terminal } from '#protocols/errors';
import type { HttpAnswer } from './links.ts';

/**
 * Gateway codes of refusals that another try may resolve (protocols/greenfield/README.md#gateway-errors): the
 * secondary's chain node does not know the object yet, clocks differ, the secondary is busy, the same piece is being
 * received, pieces are missing.
 */
const PASSING: ReadonlySet<number> = new Set([50025, 50038, 60003, 60004, 80002, 80003]);

/**
 * The error of the primary after an answer other than 200.
 * @param code of that error
 */
export async function refusal(code: string, spId: number, answer: HttpAnswer): Promise<SealionError> {
  const { code: gatewayCode, message } = await errorIn(answer);
  const facts = {
    code,
    message: `Storage provider ${spId} answered ${answer.status}: ${message} (${gatewayCode}).`,
  };
  const passing = answer.status >= 500 || answer.status === 429 || PASSING.has(gatewayCode);
  return passing ? new Retryable(facts) : new Terminal(facts);
}

async function errorIn({ body }: HttpAnswer): Promise<{ readonly code: number; readonly message: string }> {
  const { Code: code, Message: message } = (await parse(body))?.Error ?? {};
  return { code: Number(code) || 0, message: String(message ?? 'no reason given').slice(0, 500) };
}

interface ErrorAnswer {
  readonly Error?: { readonly Code?: unknown; readonly Message?: unknown };
}

/** Undefined when it is not XML. */
async function parse(xml: string): Promise<ErrorAnswer | undefined> {
  // Most answers are not errors.
  const { XMLParser } = await import('fast-xml-parser');
  try {
    return new XMLParser({ parseTagValue: false }).parse(xml) as ErrorAnswer;
  } catch {
    return undefined;
  }
}
