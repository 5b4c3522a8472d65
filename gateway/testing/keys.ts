import { ed25519 } from '@noble/curves/ed25519.js';
import { requestDigest } from '#protocols/greenfield/canonical-request';
import { toHex } from '#protocols/greenfield/hex';
import { keccak256 } from '#protocols/greenfield/keccak';
import { personalDigest } from '#protocols/greenfield/personal-signature';
import { signDigest } from '#protocols/greenfield/signature';
import type { OffChainKey } from '#runtime/records/off-chain-keys';
import { OWNER } from './chain.ts';
import { HOST, type Unsigned } from './signed-request.ts';

/** Off-chain keys as applications use them. */

export const APP = 'https://app.example.com';
/** The host of services that belong to no bucket. */
export const SP_HOST = 'sp1.localhost';

/** An ed25519 key pair. */
export interface KeyPair {
  readonly seed: Uint8Array;
  readonly publicKey: string;
}

export function keyPair(fill: number): KeyPair {
  const seed = new Uint8Array(32).fill(fill);
  return { seed, publicKey: toHex(ed25519.getPublicKey(seed)) };
}

/** The key of protocols/greenfield/README.md#off-chain-keys. */
export const KEY = keyPair(0x22);

/** `KEY` as a key of the owner for `APP`, ready to be registered. */
export function ownersKey(over: Partial<OffChainKey> = {}): OffChainKey {
  return {
    account: OWNER.address,
    domain: APP,
    publicKey: KEY.publicKey,
    registeredAt: 1,
    expiresAt: Date.now() + 3_600_000,
    ...over,
  };
}

/** RFC 3339 without a fraction, as the SDKs write it. */
export function timestamp(inMs: number): string {
  return new Date(Date.now() + inMs).toISOString().replace(/\.[0-9]{3}/, '');
}

/** A registration of `KEY` by the owner as the JS SDK sends it. @param change runs after the signing */
export function registration(change: (headers: Headers) => void = () => {}): Request {
  const expiry = timestamp(3_600_000);
  const text = `${APP} wants you to sign in with your BNB Greenfield account:${OWNER.address}\nRegister your identity public key ${KEY.publicKey}\nURI: ${APP}\nVersion: 1\nChain ID: 9000\nIssued At: ${timestamp(0)}\nExpiration Time: ${expiry}\n`;
  const signature = `0x${toHex(signDigest(personalDigest(text), OWNER.key))}`;
  const headers = new Headers({
    Origin: APP,
    'X-Gnfd-User-Address': OWNER.address,
    'X-Gnfd-App-Domain': APP,
    'X-Gnfd-App-Reg-Public-Key': KEY.publicKey,
    'X-Gnfd-Expiry-Timestamp': expiry,
    Authorization: `GNFD1-ETH-PERSONAL_SIGN,SignedMsg=${text.replaceAll('\n', '\\n')},Signature=${signature}`,
  });
  change(headers);
  return new Request(`http://${SP_HOST}/auth/update_key_v2`, { method: 'POST', headers });
}

/** A request signed by `KEY` for its owner, a PUT of the object of `TestChain` by default. */
export function keySignedRequest(
  { method = 'PUT', host = HOST, target = '/a.jpg', expiresInMs = 60_000, ...unsigned }: Unsigned = {},
  body?: string,
  key = KEY,
): Request {
  const headers = new Headers({
    'X-Gnfd-User-Address': OWNER.address,
    'X-Gnfd-App-Domain': APP,
    'X-Gnfd-App-Reg-Public-Key': KEY.publicKey,
    'X-Gnfd-Expiry-Timestamp': timestamp(expiresInMs),
    ...unsigned.headers,
  });
  const digest = requestDigest({ method, target, host, headers });
  headers.set('Authorization', `GNFD2-EDDSA,Signature=${toHex(ed25519.sign(digest, key.seed))}`);
  return new Request(`http://${host}${target}`, {
    method,
    headers,
    ...(body !== undefined && { body: Buffer.from(body) }),
  });
}

/** A pre-signed URL as the JS SDK makes it: with a sorted query, and no signed header but the host. */
export function presignedUrl(
  over: Readonly<Record<string, string>> = {},
  { host = HOST, path = '/a.jpg', seed = KEY.seed } = {},
): string {
  const query = new URLSearchParams({
    'X-Gnfd-User-Address': OWNER.address,
    'X-Gnfd-App-Domain': APP,
    'X-Gnfd-Expiry-Timestamp': timestamp(60_000),
    'X-Gnfd-App-Reg-Public-Key': KEY.publicKey,
    ...over,
  });
  query.sort();
  const text = ['GET', path, query.toString(), host, '\n'].join('\n');
  const authorization = `GNFD2-EDDSA,Signature=${toHex(ed25519.sign(keccak256(text), seed))}`;
  return `http://${host}${path}?Authorization=${encodeURIComponent(authorization)}&${query}`;
}
