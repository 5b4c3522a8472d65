import { secp256k1 } from '@noble/curves/secp256k1.js';
import { Terminal } from '../errors.ts';
import { addressOf } from './address.ts';

/** Length in bytes of an account signature: r‖s‖v. */
export const SIGNATURE_BYTES = 65;

/** Compressed public key (33 bytes) of a 32-byte private key. @throws Terminal `bad-private-key` */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  checkPrivateKey(privateKey);
  return secp256k1.getPublicKey(privateKey, true);
}

/**
 * Signs a 32-byte digest with an account's private key: r‖s‖v, v 0 or 1, deterministic (RFC 6979), low s.
 * @throws Terminal `bad-digest`, `bad-private-key`
 */
export function signDigest(digest: Uint8Array, privateKey: Uint8Array): Uint8Array {
  checkDigest(digest);
  checkPrivateKey(privateKey);
  const recovered = secp256k1.sign(digest, privateKey, { prehash: false, format: 'recovered' });
  return moveRecoveryByte(recovered, 1, 0);
}

/**
 * The compressed public key that signed a 32-byte digest. v may be 0, 1, 27 or 28.
 * Any well-formed signature recovers to *some* key: compare what comes back.
 * @throws Terminal `bad-signature`, `bad-digest`
 */
export function recoverPublicKey(digest: Uint8Array, signature: Uint8Array): Uint8Array {
  checkDigest(digest);
  if (signature.length !== SIGNATURE_BYTES) throw badSignature(`it has ${signature.length} bytes, not 65`);
  const v = signature[64] as number;
  const recovery = v >= 27 ? v - 27 : v;
  if (recovery !== 0 && recovery !== 1) throw badSignature(`its v is ${v}`);
  const recovered = new Uint8Array(signature);
  recovered[64] = recovery;
  try {
    return secp256k1.recoverPublicKey(moveRecoveryByte(recovered, 0, 1), digest, { prehash: false });
  } catch (cause) {
    throw badSignature('no public key matches it', cause);
  }
}

/** The account (EIP-55) that signed a 32-byte digest; see `recoverPublicKey`. */
export function recoverAddress(digest: Uint8Array, signature: Uint8Array): string {
  return addressOf(recoverPublicKey(digest, signature));
}

/** True when the account (EIP-55) signed the digest. Malformed signatures are false. */
export function isSignedBy(address: string, digest: Uint8Array, signature: Uint8Array): boolean {
  try {
    return recoverAddress(digest, signature) === address;
  } catch {
    return false;
  }
}

/** The library puts v before r and s, Ethereum after them. */
function moveRecoveryByte(signature: Uint8Array, bodyFrom: 0 | 1, bodyTo: 0 | 1): Uint8Array {
  const moved = new Uint8Array(SIGNATURE_BYTES);
  moved.set(signature.subarray(bodyFrom, bodyFrom + 64), bodyTo);
  moved[bodyTo === 0 ? 64 : 0] = signature[bodyFrom === 0 ? 64 : 0] as number;
  return moved;
}

function checkDigest(digest: Uint8Array): void {
  if (digest.length === 32) return;
  throw new Terminal({ code: 'bad-digest', message: `Expected a digest of 32 bytes, got ${digest.length}.` });
}

function checkPrivateKey(privateKey: Uint8Array): void {
  if (secp256k1.utils.isValidSecretKey(privateKey)) return;
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
