import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { Terminal } from '../errors.ts';
import type { Hex } from './types.ts';

/** Bytes as lower-case hex without `0x`, the form of hashes and signatures everywhere in Sealion. */
export function toHex(bytes: Uint8Array): Hex {
  return bytesToHex(bytes);
}

/**
 * Bytes of hex, with or without `0x`, in either case.
 * @param length bytes that must come out, where the caller knows it
 * @throws Terminal `bad-hex`
 */
export function fromHex(text: string, length?: number): Uint8Array {
  const digits = text.startsWith('0x') ? text.slice(2) : text;
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(digits) || (length !== undefined && digits.length !== 2 * length)) {
    const wanted = length === undefined ? 'hex digits' : `${2 * length} hex digits`;
    throw new Terminal({ code: 'bad-hex', message: `Expected ${wanted}, got ${describe(text)}.` });
  }
  return hexToBytes(digits);
}

/** Hex as the standard base64 that Greenfield's JSON uses for bytes. @throws Terminal `bad-hex` */
export function hexToBase64(hex: Hex): string {
  return Buffer.from(fromHex(hex)).toString('base64');
}

function describe(text: string): string {
  return text.length <= 80 ? `"${text}"` : `${text.length} characters`;
}
