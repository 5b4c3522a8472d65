import { Terminal } from '#protocols/errors';
import { checksumAddress } from '#protocols/greenfield/address';
import { presignedRequest, type SignableRequest } from '#protocols/greenfield/canonical-request';
import {
  checkExpiry,
  parseAuthorization,
  recoverRequestSigners,
  verifyEddsaRequest,
} from '#protocols/greenfield/request-signature';
import type { Hex } from '#protocols/greenfield/types';
import type { KeyHolder, OffChainKeys } from '#runtime/records/off-chain-keys';
import type { GatewayContext } from '../request/context.ts';

/** Headers of off-chain authentication and of the expiry; in a pre-signed URL they are parameters. */
export const USER_ADDRESS = 'X-Gnfd-User-Address';
export const APP_DOMAIN = 'X-Gnfd-App-Domain';
export const PUBLIC_KEY = 'X-Gnfd-App-Reg-Public-Key';
export const EXPIRY = 'X-Gnfd-Expiry-Timestamp';

/** Reads one of the headers above, or the parameter of that name. */
type Field = (name: string) => string | null | undefined;

/**
 * The accounts that may have signed the request in its headers. With GNFD1-ECDSA
 * (protocols/greenfield/README.md#request-signing) there is one, or two when the host has a port: only the chain can
 * tell which of them exists and has permission. With GNFD2-EDDSA (protocols/greenfield/README.md#off-chain-keys) it is
 * the account for which the key is registered.
 * @throws Terminal 400/50001 not signed or by another scheme, 400/50002 malformed header, 400/50003 tampered,
 * 400/50023 expiry, 400/20006 or 20012 to 20019 for an off-chain key; Retryable when those cannot be looked up
 */
export async function authenticate(keys: OffChainKeys, c: GatewayContext): Promise<readonly string[]> {
  const { scheme, signature } = parseAuthorization(c.req.header('Authorization') ?? '');
  checkExpiry(c.req.header(EXPIRY) ?? c.get('target').query.get(EXPIRY), Date.now());
  const request = signedRequest(c);
  const field: Field = (name) => c.req.header(name);
  const accounts =
    scheme === 'GNFD1-ECDSA'
      ? recoverRequestSigners(request, signature)
      : [await keyHolder(keys, field, (publicKey) => verifyEddsaRequest(request, signature, publicKey))];
  c.get('share').admit(accounts);
  return accounts;
}

/**
 * The accounts that may have signed the request, in its headers or as a pre-signed URL; undefined when it is not
 * signed at all. Pre-signed URLs have an off-chain key's signature.
 * @throws as `authenticate`
 */
export async function authenticateIfSigned(
  keys: OffChainKeys,
  c: GatewayContext,
): Promise<{ readonly accounts: readonly string[]; readonly byUrl: boolean } | undefined> {
  if (c.req.header('Authorization') !== undefined) {
    return { accounts: await authenticate(keys, c), byUrl: false };
  }
  const presigned = presignedRequest(signedRequest(c));
  if (!presigned) return undefined;
  const { scheme, signature } = parseAuthorization(presigned.authorization);
  if (scheme !== 'GNFD2-EDDSA') {
    throw new Terminal({
      code: 'unsupported-authorization',
      message: `Pre-signed URLs cannot be signed with ${scheme}.`,
      advice: 'Sign them with a registered off-chain key, using GNFD2-EDDSA.',
      gatewayCode: 50001,
    });
  }
  const field: Field = (name) => c.get('target').query.get(name);
  checkExpiry(field(EXPIRY), Date.now());
  const account = await keyHolder(keys, field, (publicKey) =>
    [presigned.request, withoutRange(presigned.request)].some((request) =>
      verifyEddsaRequest(request, signature, publicKey),
    ),
  );
  c.get('share').admit([account]);
  return { accounts: [account], byUrl: true };
}

/** The account, application and key that a request names. @throws Terminal 400/20017 when one is missing, 400/20006 */
function holderIn(field: Field): KeyHolder & { readonly publicKey: Hex } {
  const account = field(USER_ADDRESS);
  const domain = field(APP_DOMAIN);
  const publicKey = field(PUBLIC_KEY)?.toLowerCase();
  if (account && domain && publicKey) return { account: checksumAddress(account), domain, publicKey };
  throw new Terminal({
    code: 'off-chain-fields-missing',
    message: 'A request signed with an off-chain key must name its account, application and key.',
    advice: `Send ${USER_ADDRESS}, ${APP_DOMAIN} and ${PUBLIC_KEY}.`,
    gatewayCode: 20017,
  });
}

/** The account named by a request, after checking that its key is registered, not expired, and signed the request. */
async function keyHolder(
  keys: OffChainKeys,
  field: Field,
  signed: (publicKey: Hex) => boolean,
): Promise<string> {
  const { publicKey, ...holder } = holderIn(field);
  const key = await keys.find(holder, publicKey);
  if (!key)
    throw refused(20019, 'key-not-registered', 'The off-chain key is not registered with this provider.');
  if (key.expiresAt <= Date.now()) throw refused(20015, 'key-expired', 'The off-chain key has expired.');
  if (!signed(publicKey)) {
    throw refused(20012, 'bad-signature', 'The off-chain key did not sign this request.');
  }
  return holder.account;
}

function signedRequest(c: GatewayContext): SignableRequest {
  const { host, line } = c.get('target');
  const { method, headers } = c.req.raw;
  return { method, target: line, host, headers };
}

/** A pre-signed URL does not cover `Range`: its creator cannot know which ranges a player will request. */
function withoutRange(request: SignableRequest): SignableRequest {
  const headers = [...request.headers].filter(([name]) => name.toLowerCase() !== 'range');
  return { ...request, headers };
}

function refused(gatewayCode: number, code: string, message: string): Terminal {
  const advice = 'Register the key for this account and application, then sign with it.';
  return new Terminal({ code, message, advice, gatewayCode });
}
