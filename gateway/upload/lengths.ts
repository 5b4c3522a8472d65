import { Terminal } from '#protocols/errors';
import type { GatewayContext } from '../request/context.ts';

/**
 * All checks of announced lengths: the size of a payload on chain, and the Content-Length of a request. `UploadBody`
 * counts the bytes that actually arrive, and `protocols/payload/part.ts` has the rules for parts of a payload.
 */

/** @throws Terminal 403/50016 for an empty payload */
export function checkNotEmpty(payloadSize: number, message: string, advice?: string): void {
  if (payloadSize === 0) throw payloadSizeRefused(message, advice);
}

/** @throws Terminal 403/50016 for a payload that the chain would refuse to announce */
export function checkChainLimit(payloadSize: number, maxPayloadSize: number): void {
  if (payloadSize <= maxPayloadSize) return;
  throw payloadSizeRefused(
    `A payload of ${payloadSize} bytes is larger than the chain allows: ${maxPayloadSize} bytes.`,
  );
}

/**
 * Checks the length of a PUT before anything is announced or stored: the payload must fit into one PUT, and a
 * Content-Length, if present, must be the payload's size.
 * @throws Terminal 403/50016, 400/110008
 */
export function checkPutLength(c: GatewayContext, payloadSize: number, maxPayloadSize: number): void {
  if (payloadSize > maxPayloadSize) {
    throw payloadSizeRefused(
      `A payload of ${payloadSize} bytes is too large for one PUT, which takes at most ${maxPayloadSize} bytes.`,
      'Upload it in parts.',
    );
  }
  const header = c.req.header('Content-Length');
  if (header !== undefined && Number(header) !== payloadSize) throw wrongSize(header, payloadSize);
}

/** Reads a number of bytes from a header or parameter; undefined for any other text, and for more than 15 digits. */
export function readBytes(text: string | null | undefined): number | undefined {
  return /^[0-9]{1,15}$/.test(text ?? '') ? Number(text) : undefined;
}

/** The Content-Length of a request: undefined when it is missing, Infinity when it is larger than any payload. */
export function declaredLength(c: GatewayContext): number | undefined {
  const header = c.req.header('Content-Length') ?? '';
  return readBytes(header) ?? (/^[0-9]+$/.test(header) ? Number.POSITIVE_INFINITY : undefined);
}

/** The body's size contradicts what was announced: on chain, or for a part by its Content-Length. */
export function wrongSize(bytes: string, announced: number): Terminal {
  return new Terminal({
    code: 'payload-size-mismatch',
    message: `The body has ${bytes} bytes; ${announced} were announced.`,
    advice: 'Upload exactly the file from which the object was created.',
    gatewayCode: 110008,
  });
}

function payloadSizeRefused(message: string, advice?: string): Terminal {
  const facts = { code: 'payload-size-refused', message, gatewayCode: 50016 };
  return new Terminal(advice === undefined ? facts : { ...facts, advice });
}
