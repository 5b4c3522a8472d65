import { Terminal } from '../protocols/errors.ts';
import {
  checkExpiry,
  parseAuthorization,
  recoverRequestSigners,
} from '../protocols/greenfield/request-signature.ts';
import type { GatewayContext } from './request.ts';

const EXPIRY = 'X-Gnfd-Expiry-Timestamp';

export function isSigned(c: GatewayContext): boolean {
  return c.req.header('Authorization') !== undefined;
}

/**
 * The accounts that may have signed the request, by GNFD1-ECDSA (greenfield.md §9.2): one, or two where the host
 * has a port. Only the chain can tell which of them exists and has permission.
 * @throws Terminal 400/50001 not signed or by another scheme, 400/50002 malformed header, 400/50003 tampered,
 * 400/50023 expiry
 */
export function authenticate(c: GatewayContext): readonly string[] {
  const { host, line, query } = c.get('target');
  const { scheme, signature } = parseAuthorization(c.req.header('Authorization') ?? '');
  if (scheme !== 'GNFD1-ECDSA') {
    throw new Terminal({
      code: 'unsupported-authorization',
      message: `Requests signed by ${scheme} are not served here.`,
      advice: 'Sign with GNFD1-ECDSA.',
      gatewayCode: 50001,
    });
  }
  checkExpiry(c.req.header(EXPIRY) ?? query.get(EXPIRY), Date.now());
  const { method, headers } = c.req.raw;
  return recoverRequestSigners({ method, target: line, host, headers }, signature);
}
