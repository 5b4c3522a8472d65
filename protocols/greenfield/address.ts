import { LRUCache } from 'lru-cache';
import { Terminal } from '../errors.ts';
import { toHex } from './hex.ts';
import { keccak256 } from './keccak.ts';
import { curve } from './secp256k1/secp256k1.ts';

const FORM = /^0x[0-9a-fA-F]{40}$/;
/** The accounts of providers come with every message, those of clients with every answer of the chain. */
const known = new LRUCache<string, string>({ max: 1_000 });

/**
 * An address in EIP-55 case, from any case. The case of the input is not checked: chain and clients compare
 * addresses as text, so everything that comes in is brought into this one form.
 * @throws Terminal `bad-address`
 */
export function checksumAddress(address: string): string {
  if (!FORM.test(address)) {
    throw new Terminal({
      code: 'bad-address',
      message: `"${address.slice(0, 80)}" is not an account address.`,
      advice: 'Write it as 0x and 40 hex digits.',
      gatewayCode: 20006,
    });
  }
  const digits = address.slice(2).toLowerCase();
  const checked = known.get(digits) ?? withCase(digits);
  known.set(digits, checked);
  return checked;
}

function withCase(digits: string): string {
  const hash = toHex(keccak256(digits));
  const cased = Array.from(digits, (digit, i) =>
    Number.parseInt(hash.charAt(i), 16) >= 8 ? digit.toUpperCase() : digit,
  );
  return `0x${cased.join('')}`;
}

/** True for `0x` and 40 hex digits in any case. */
export function isAddress(text: string): boolean {
  return FORM.test(text);
}

/** The account that a secp256k1 public key (33 or 65 bytes) belongs to. @throws Terminal `bad-public-key` */
export function addressOf(publicKey: Uint8Array): string {
  let uncompressed: Uint8Array;
  try {
    uncompressed = curve.uncompressed(publicKey);
  } catch (cause) {
    throw new Terminal({
      code: 'bad-public-key',
      message: 'These bytes are not a secp256k1 public key.',
      cause,
    });
  }
  return checksumAddress(`0x${toHex(keccak256(uncompressed.subarray(1)).subarray(12))}`);
}
