import {
  aggregateSignatures,
  aggregateWithRandomness,
  fastAggregateVerify,
  PublicKey,
  SecretKey,
  Signature,
  verifyMultipleAggregateSignatures,
} from '@chainsafe/blst';
import { Terminal } from '../errors.ts';
import { toHex } from './hex.ts';

/**
 * BLS12-381 as Greenfield uses it (protocols/sealing/README.md#what-secondaries-sign): "min-pk" (public keys of 48 bytes in G1, signatures of
 * 96 bytes in G2) with the proof-of-possession tag BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_, which is the
 * one the library is built with. Messages are the 32-byte keccak of a document, signed as they are.
 */

/** Public key (48 bytes, compressed) of a 32-byte big-endian secret key. @throws Terminal `bad-private-key` */
export function blsPublicKeyOf(secretKey: Uint8Array): Uint8Array {
  return readSecretKey(secretKey).toPublicKey().toBytes(true);
}

/** Signs a message: 96 bytes, compressed. @throws Terminal `bad-private-key` */
export function blsSign(message: Uint8Array, secretKey: Uint8Array): Uint8Array {
  return readSecretKey(secretKey).sign(message).toBytes(true);
}

/** True when the holder of the public key signed the message. Malformed keys and signatures are false. */
export function blsVerify(message: Uint8Array, publicKey: Uint8Array, signature: Uint8Array): boolean {
  return blsVerifyAggregate(message, [publicKey], signature);
}

/** A message, who should have signed it (48 bytes), and the signature (96 bytes). */
export interface BlsSigned {
  readonly message: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * True when each holder of a key signed its message: what `blsVerify` says of each, in a quarter of the time for six
 * signatures of one message. Each is weighted by a random number, so that no wrong signatures can make up for each
 * other.
 */
export function blsVerifyAll(signed: readonly BlsSigned[]): boolean {
  const byMessage = new Map<string, BlsSigned[]>();
  for (const one of signed) {
    const name = toHex(one.message);
    byMessage.set(name, [...(byMessage.get(name) ?? []), one]);
  }
  try {
    return verifyMultipleAggregateSignatures([...byMessage.values()].map(weightedSum));
  } catch {
    return false;
  }
}

/** Signatures of one message as one. @throws Error when one of them is malformed or not in the group */
function weightedSum(signed: readonly BlsSigned[]): { msg: Uint8Array; pk: PublicKey; sig: Signature } {
  const sets = signed.map(({ publicKey, signature }) => ({ pk: readPublicKey(publicKey), sig: signature }));
  return { msg: signed[0]?.message ?? new Uint8Array(), ...aggregateWithRandomness(sets) };
}

/**
 * True when the aggregate holds a signature of *every* key over the one message (FastAggregateVerify).
 * Sound only for keys whose possession was proven, as the chain asks of an SP when it registers its key.
 */
export function blsVerifyAggregate(
  message: Uint8Array,
  publicKeys: readonly Uint8Array[],
  aggregate: Uint8Array,
): boolean {
  if (publicKeys.length === 0) return false;
  let keys: PublicKey[];
  let signature: Signature;
  try {
    keys = publicKeys.map(readPublicKey);
    signature = Signature.fromBytes(aggregate, true);
  } catch {
    return false;
  }
  return fastAggregateVerify(message, keys, signature);
}

/**
 * Adds signatures up to one of 96 bytes.
 * @param options.verified each was verified before, so that only its form is checked again
 * @throws Terminal `bad-bls-signature` on a malformed or missing one
 */
export function blsAggregate(
  signatures: readonly Uint8Array[],
  { verified = false }: { readonly verified?: boolean } = {},
): Uint8Array {
  try {
    return aggregateSignatures(signatures.map((bytes) => Signature.fromBytes(bytes, !verified))).toBytes(
      true,
    );
  } catch (cause) {
    throw new Terminal({
      code: 'bad-bls-signature',
      message: 'The BLS signatures cannot be aggregated.',
      advice: 'Check each with blsVerify first.',
      cause,
    });
  }
}

/** SPs change their keys hardly ever, and reading one takes as long as a tenth of a check. */
const publicKeys = new Map<string, PublicKey>();
const MAX_PUBLIC_KEYS = 1_024;

/** @throws Error when it is not a public key */
function readPublicKey(bytes: Uint8Array): PublicKey {
  const name = toHex(bytes);
  const known = publicKeys.get(name);
  if (known) return known;
  const publicKey = PublicKey.fromBytes(bytes, true);
  if (publicKeys.size >= MAX_PUBLIC_KEYS) publicKeys.clear();
  publicKeys.set(name, publicKey);
  return publicKey;
}

function readSecretKey(bytes: Uint8Array): SecretKey {
  try {
    return SecretKey.fromBytes(bytes);
  } catch (cause) {
    throw new Terminal({ code: 'bad-private-key', message: 'These bytes are not a BLS secret key.', cause });
  }
}
