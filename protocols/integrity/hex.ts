import { Terminal } from '../errors.ts';
import type { Hex } from '../greenfield/types.ts';

const FORM = /^(?:[0-9a-f]{2})*$/;

/** Lower-case, without `0x`. */
export function bytesToHex(bytes: Uint8Array): Hex {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/**
 * Reads only what `bytesToHex` writes, so that equal bytes have equal texts.
 * @param length bytes expected; any when absent
 * @throws Terminal `bad-hex`
 */
export function hexToBytes(hex: Hex, length?: number): Uint8Array {
  if (!FORM.test(hex) || (length !== undefined && hex.length !== 2 * length)) {
    throw new Terminal({
      code: 'bad-hex',
      message: `Expected ${length === undefined ? '' : `${length} bytes of `}lower-case hex without 0x.`,
    });
  }
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** How checksums travel in JSON and EIP-712 documents. */
export function hexToBase64(hex: Hex): string {
  return Buffer.from(hexToBytes(hex)).toString('base64');
}

/** @throws Terminal `bad-base64` for anything but the canonical, padded form */
export function base64ToHex(base64: string): Hex {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) {
    throw new Terminal({ code: 'bad-base64', message: 'Expected padded standard base64.' });
  }
  return bytes.toString('hex');
}
