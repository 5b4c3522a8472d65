import { Terminal } from '#protocols/errors';
import { authenticate } from '../access/authentication.ts';
import { keyHolderOf } from '../access/key-holder.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { bodyOf, clientSignal, type GatewayContext, type Handler } from '../request/context.ts';
import { xmlResponse } from '../request/xml.ts';
import { UploadBody } from '../upload/body.ts';
import { declaredLength } from '../upload/lengths.ts';

const MAX_KEYS = 100;
/** Per key: 64 hex digits, a comma, and an optional space. */
const MAX_BODY_BYTES = MAX_KEYS * 66;

/**
 * `POST /auth/delete_keys_v2`: deletes off-chain keys of the account that signed the request. The body lists them,
 * separated by commas; unknown ones are ignored.
 */
export function deleteKeys({ offChainKeys, limits }: GatewayDependencies): Handler {
  return async (c) => {
    const signal = clientSignal(c);
    const signers = await authenticate(offChainKeys, c);
    const holder = keyHolderOf(c);
    if (!signers.includes(holder.account)) {
      throw new Terminal({
        code: 'not-permitted',
        message: `The request is signed by ${signers.join(' or ')}, but the keys belong to ${holder.account}.`,
        advice: 'An account can delete only its own keys.',
        gatewayCode: 50004,
      });
    }
    const length = bodySize(c);
    const chunks: Uint8Array[] = [];
    for await (const chunk of new UploadBody(bodyOf(c), { length, limits, signal })) chunks.push(chunk);
    await offChainKeys.remove(holder, keysIn(Buffer.concat(chunks).toString()));
    return xmlResponse(c, '<DeleteUserPublicKeyV2Resp><Result>true</Result></DeleteUserPublicKeyV2Resp>');
  };
}

function bodySize(c: GatewayContext): number {
  const size = declaredLength(c) ?? (c.req.header('Transfer-Encoding') ? undefined : 0);
  if (size === undefined) {
    throw new Terminal({
      code: 'length-required',
      message: 'The request has no Content-Length.',
      advice: 'Send a Content-Length header.',
      gatewayCode: 50009,
    });
  }
  if (size > MAX_BODY_BYTES) throw tooMany();
  return size;
}

function keysIn(body: string): string[] {
  const keys = body.split(',').map((key) => key.trim().toLowerCase());
  if (keys.length > MAX_KEYS) throw tooMany();
  return keys.filter(Boolean);
}

function tooMany(): Terminal {
  return new Terminal({
    code: 'too-many-keys',
    message: `The request names more than ${MAX_KEYS} keys.`,
    advice: 'Split them over several requests.',
    gatewayCode: 20018,
  });
}
