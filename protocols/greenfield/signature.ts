import { Terminal } from '../errors.ts';
import { addressOf } from './address.ts';
import { curve } from './secp256k1/secp256k1.ts';

/** Length in bytes of an account signature: r‖s‖v. */
export const SIGNATURE_BYTES = 65;

/** Compressed public key (33 bytes) of a 32-byte private key. @throws Terminal `bad-private-key` */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  checkPrivateKey(privateKey);
  return curve.publicKeyOf(privateKey);
}

/**
 * Signs a 32-byte digest with an account's private key: r‖s‖v, v 0 or 1, deterministic (RFC 6979), low s.
 * @throws Terminal `bad-digest`, `bad-private-key`
 */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): Uint8Array {
  checkDigest(digest);
  checkPrivateKey(privateKey);
  return curve.sign(digest, privateKey);
}

/**
 * The account (EIP-55) that signed a 32-byte digest. v may be 0, 1, 27 or 28.
 * Any well-formed signature recovers to *some* account: compare what comes back.
 * @throws Terminal `bad-signature`, `bad-digest`
 */
export function recoverAddress(digest: Uint8Array, signature: Uint8Array): string {
  checkDigest(digest);
  if (signature.length !== SIGNATURE_BYTES) throw badSignature(`it has ${signature.length} bytes, not 65`);
  const v = signature[64] as number;
  const recovery = v >= 27 ? v - 27 : v;
  if (recovery !== 0 && recovery !== 1) throw badSignature(`its v is ${v}`);
  let publicKey: Uint8Array;
  try {
    publicKey = curve.recover(digest, signature.subarray(0, 64), recovery);
  } catch (cause) {
    throw badSignature('no public key matches it', cause);
  }
  return addressOf(publicKey);
}

/** True when the account (EIP-55) signed the digest. Malformed signatures are false. */
export function isSignedBy(address: string, digest: Uint8Array, signature: Uint8Array): boolean {
  try {
    return recoverAddress(digest, signature) === address;
  } catch {
    return false;
  }
}

function checkDigest(digest: Uint8Array): void {
  if (digest.length === 32) return;
  throw new Terminal({ code: 'bad-digest', message: `Expected a digest of 32 bytes, got ${digest.length}.` });
}

function checkPrivateKey(privateKey: Uint8Array): void {
  if (curve.isPrivateKey(privateKey)) return;
  throw new Terminal({ code: 'bad-private-key', message: 'These bytes are not a secp256k1 private key.' });
}

function badSignature(why: string, cause?: unknown): Terminal {
  return new Terminal({
    code: 'bad-signature',
    message: `The account signature is malformed: ${why}.`,
    gatewayCode: 50015,
    cause,
  });
}
