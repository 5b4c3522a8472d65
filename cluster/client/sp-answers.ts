import type { IncomingMessage } from 'node:http';
import { XMLParser } from 'fast-xml-parser';
import { Retryable, type SealionError, Terminal } from '#protocols/errors';
import { printable } from '#runtime/telemetry/printable';

/** The whole body of an answer. */
export async function text(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** The durability that the provider states for its acknowledgement; undefined if it states none. */
export function durabilityOf(response: IncomingMessage): string | undefined {
  const durability = response.headers['x-sealion-durability'];
  return typeof durability === 'string' ? durability : undefined;
}

interface KnownAnswers {
  readonly Error?: { readonly Code?: string; readonly Message?: string };
  readonly QueryResumeOffset?: { readonly Offset?: string };
  readonly QueryUploadProgress?: {
    readonly ProgressDescription?: string;
    readonly ErrorDescription?: string;
  };
}

/** The parts of the provider's XML answers that we use. */
export function parseXml(xml: string): KnownAnswers {
  return new XMLParser({ parseTagValue: false }).parse(xml) as KnownAnswers;
}

/** Converts the provider's error into our taxonomy: a fault of the request is Terminal, any other Retryable. */
export function refusal(status: number, xml: string): SealionError {
  const { Error: answer } = parseXml(xml);
  const facts = {
    code: 'sp-refused',
    message: `The storage provider answered ${status}: ${printable(answer?.Message ?? 'no reason given')} (${answer?.Code ?? 'no code'}).`,
    gatewayCode: Number(answer?.Code ?? 0),
  };
  return status >= 500 || status === 429 || answer?.Code === '60003'
    ? new Retryable(facts)
    : new Terminal(facts);
}
