import { keyHolderOf } from '../access/key-holder.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import type { Handler } from '../request/context.ts';
import { xmlResponse } from '../request/xml.ts';

/** `GET /auth/keys_v2`: the valid off-chain keys of an account in an application. Needs no signature. */
export function listKeys({ offChainKeys }: GatewayDependencies): Handler {
  return async (c) => {
    const keys = await offChainKeys.list(keyHolderOf(c));
    const now = Date.now();
    const valid = keys.filter(({ expiresAt }) => expiresAt > now);
    const results = valid.map(({ publicKey }) => `<Result>${publicKey}</Result>`).join('');
    return xmlResponse(c, `<ListUserPublicKeyV2Resp>${results}</ListUserPublicKeyV2Resp>`);
  };
}
