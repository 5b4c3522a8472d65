import { readKeyRegistration } from '../../protocols/greenfield/key-registration.ts';
import { APP_DOMAIN, EXPIRY, PUBLIC_KEY } from '../authentication.ts';
import type { GatewayParts } from '../parts.ts';
import type { Handler } from '../request.ts';
import { xmlResponse } from '../xml.ts';

/** `POST /auth/update_key_v2`: keeps the off-chain key that an account registers by a text signed in its wallet. */
export function registerKey({ offChainKeys }: GatewayParts): Handler {
  return async (c) => {
    const now = Date.now();
    const header = (name: string) => c.req.header(name) ?? '';
    const registration = readKeyRegistration(
      {
        authorization: header('Authorization'),
        origin: header('Origin'),
        domain: header(APP_DOMAIN),
        publicKey: header(PUBLIC_KEY),
        expiry: header(EXPIRY),
      },
      now,
    );
    await offChainKeys.register({ ...registration, registeredAt: now });
    return xmlResponse(c, '<UpdateUserPublicKeyResp><Result>true</Result></UpdateUserPublicKeyResp>');
  };
}
