import { Terminal } from '#protocols/errors';
import { readKeyRegistration } from '#protocols/greenfield/key-registration';
import { APP_DOMAIN, EXPIRY, PUBLIC_KEY } from '../access/authentication.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import { xmlResponse } from '../request/xml.ts';

/**
 * `POST /auth/update_key_v2`: stores the off-chain key that an account registers by a text signed in its wallet.
 * The account must be known to the chain, since wallets cost nothing and keys take space.
 * @throws as `readKeyRegistration`; Terminal 401/50004; what the chain and the SQL DB throw
 */
export function registerKey({ chain, offChainKeys }: GatewayDependencies): Handler {
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
    const { account } = registration;
    if (!(await chain.account(account, { signal: clientSignal(c) }))) throw unknownAccount(account);
    await offChainKeys.register({ ...registration, registeredAt: now });
    return xmlResponse(c, '<UpdateUserPublicKeyResp><Result>true</Result></UpdateUserPublicKeyResp>');
  };
}

function unknownAccount(account: string): Terminal {
  return new Terminal({
    code: 'unknown-account',
    message: `The chain does not know the account ${account}.`,
    advice: 'An account exists on chain once it has received a transfer.',
    gatewayCode: 50004,
  });
}
