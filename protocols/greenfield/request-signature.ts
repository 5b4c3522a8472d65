import { ed25519 } from '@noble/curves/ed25519.js';
import { Terminal } from '../errors.ts';
import { requestDigest, requestDigests, type SignableRequest } from './canonical-request.ts';
import { fromHex, toHex } from './hex.ts';
import { recoverAddress, SIGNATURE_BYTES, signDigest } from './signature.ts';
import type { Hex } from './types.ts';

/** GNFD1-ECDSA: the account's own key. GNFD2-EDDSA: an ed25519 key that the account registered. */
export type AuthorizationScheme = 'GNFD1-ECDSA' | 'GNFD2-EDDSA';

export interface Authorization {
  readonly scheme: AuthorizationScheme;
  readonly signature: Uint8Array;
}

const SIGNATURE_LENGTHS: Readonly<Record<AuthorizationScheme, number>> = {
  'GNFD1-ECDSA': SIGNATURE_BYTES,
  'GNFD2-EDDSA': 64,
};

const SEVEN_DAYS_MS = 7 * 24 * 3600 * 1000;

/**
 * Reads an Authorization header (protocols/greenfield/README.md#request-signing, #off-chain-keys).
 * @throws Terminal `unsupported-authorization` (50001), `bad-authorization` (50002)
 */
export function parseAuthorization(header: string): Authorization {
  const comma = header.indexOf(',');
  const scheme = header.slice(0, comma < 0 ? undefined : comma).trim();
  if (!isScheme(scheme)) {
    throw new Terminal({
      code: 'unsupported-authorization',
      message: `Signatures of type "${scheme.slice(0, 40)}" are not supported.`,
      advice: `Sign with ${Object.keys(SIGNATURE_LENGTHS).join(' or ')}.`,
      gatewayCode: 50001,
    });
  }
  const hex = /^Signature=(?:0x)?([0-9a-fA-F]+)$/.exec(header.slice(comma + 1).replaceAll(' ', ''))?.[1];
  if (comma < 0 || hex === undefined || hex.length !== 2 * SIGNATURE_LENGTHS[scheme]) {
    throw new Terminal({
      code: 'bad-authorization',
      message: 'The Authorization header is malformed.',
      advice: `Write it as ${scheme}, Signature=<${2 * SIGNATURE_LENGTHS[scheme]} hex digits>.`,
      gatewayCode: 50002,
    });
  }
  return { scheme, signature: fromHex(hex) };
}

/** The value of the Authorization header for a request, signed with an account's private key. */
export function signRequest(request: SignableRequest, privateKey: Uint8Array): string {
  return `GNFD1-ECDSA, Signature=${toHex(signDigest(requestDigest(request), privateKey))}`;
}

/**
 * The accounts that may have signed a request: one, or two where the host has a port, because SDKs differ on
 * signing it. Recovery always yields *some* account: the request is from the one that exists and is permitted.
 * @throws Terminal `bad-signature` (50003)
 */
export function recoverRequestSigners(request: SignableRequest, signature: Uint8Array): readonly string[] {
  try {
    return requestDigests(request).map((digest) => recoverAddress(digest, signature));
  } catch (cause) {
    if (cause instanceof Terminal && cause.code !== 'bad-signature') throw cause;
    throw new Terminal({
      code: 'bad-signature',
      message: 'The signature of the request is malformed.',
      gatewayCode: 50003,
      cause,
    });
  }
}

/** True when the holder of a registered ed25519 key (32 bytes) signed the request, with or without the port. */
export function verifyEddsaRequest(request: SignableRequest, signature: Uint8Array, publicKey: Hex): boolean {
  const key = fromHex(publicKey, 32);
  return requestDigests(request).some((digest) => {
    try {
      return ed25519.verify(signature, digest, key, { zip215: false });
    } catch {
      return false;
    }
  });
}

/**
 * Checks `X-Gnfd-Expiry-Timestamp` (header, or query parameter of a pre-signed URL): RFC 3339, in the future, at
 * most seven days ahead.
 * @param now unix ms
 * @param gatewayCode 50024 where the query is the only place for it
 * @returns unix ms
 * @throws Terminal `bad-expiry`
 */
export function checkExpiry(
  timestamp: string | null | undefined,
  now: number,
  gatewayCode: 50023 | 50024 = 50023,
): number {
  const form = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
  const expiry = timestamp && form.test(timestamp) ? Date.parse(timestamp) : Number.NaN;
  if (expiry > now && expiry <= now + SEVEN_DAYS_MS) return expiry;
  throw new Terminal({
    code: 'bad-expiry',
    message: 'The expiry timestamp of the request is missing, malformed, past, or more than 7 days ahead.',
    advice:
      'Send X-Gnfd-Expiry-Timestamp in RFC 3339, for example 2024-01-02T05:04:05Z, and check your clock.',
    gatewayCode,
  });
}

function isScheme(text: string): text is AuthorizationScheme {
  return Object.hasOwn(SIGNATURE_LENGTHS, text);
}
