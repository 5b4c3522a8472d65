import { Terminal } from '#protocols/errors';
import { checksumAddress, isAddress } from '#protocols/greenfield/address';
import type { KeyHolder } from '#runtime/records/off-chain-keys';
import type { GatewayContext } from '../request/context.ts';
import { APP_DOMAIN, USER_ADDRESS } from './authentication.ts';

/**
 * The account and application whose keys a request is about.
 * @throws Terminal 400/50009 without an account, 400/50017 without a domain
 */
export function keyHolderOf(c: GatewayContext): KeyHolder {
  const account = c.req.header(USER_ADDRESS) ?? '';
  const domain = c.req.header(APP_DOMAIN) ?? '';
  if (!isAddress(account)) throw missing(50009, `${USER_ADDRESS} is not an account address.`);
  if (domain === '') throw missing(50017, `${APP_DOMAIN} is missing.`);
  return { account: checksumAddress(account), domain };
}

function missing(gatewayCode: number, message: string): Terminal {
  return new Terminal({
    code: 'bad-key-holder',
    message,
    advice: 'Send the account and the application that the keys belong to.',
    gatewayCode,
  });
}
