import { userInfo } from 'node:os';
import { Terminal } from '#protocols/errors';
import { readSecret } from '#runtime/keys/secret';
import type { AdminRole } from '../../admin/door/tokens.ts';
import { AdminApi } from '../../client/admin-api.ts';
import { DEVNET_FILE, readNetwork, spOf } from '../network.ts';

/** Where the admin server is: its own address, or a network whose description names it. */
export interface AdminOptions {
  readonly admin?: string;
  readonly tokenFile?: string;
  /** Path of a network's description. */
  readonly network?: string;
  /** Id of an SP of that network, the first by default. */
  readonly sp?: number;
}

export const URL_VARIABLE = 'SEALION_ADMIN_URL';
export const TOKEN_VARIABLE = 'SEALION_ADMIN_TOKEN';

/**
 * Address of the admin server, from the arguments or the environment; undefined when a network was named instead, or
 * nothing. @throws Terminal `bad-admin-url`
 */
export function adminUrlOf({ admin, network, sp }: AdminOptions): string | undefined {
  if (admin !== undefined) return admin;
  if (network !== undefined || sp !== undefined) return undefined;
  const text = process.env[URL_VARIABLE]?.trim();
  return text ? parseAdminUrl(text) : undefined;
}

/**
 * The API of an admin server, with the token that the caller has.
 * @throws Terminal `bad-admin-url`, as `readSecret` and `readNetwork`
 */
export async function openAdmin(options: AdminOptions, role: AdminRole): Promise<AdminApi> {
  const url = adminUrlOf(options);
  const operator = operatorName();
  if (url !== undefined) return new AdminApi(url, await tokenOf(options), operator);
  const network = await readNetwork(options.network ?? DEVNET_FILE);
  const { admin } = spOf(network, options.sp);
  if (options.tokenFile !== undefined) return new AdminApi(admin, await tokenOf(options), operator);
  return AdminApi.of(admin, network.adminTokens, role, operator);
}

/** An address without credentials, path or query, which are not part of it. @throws Terminal `bad-admin-url` */
export function parseAdminUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url && isPlain && /^https?:$/.test(url.protocol))
    return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  throw new Terminal({
    code: 'bad-admin-url',
    message: 'This is not the address of an admin server.',
    advice: 'Write it as http://127.0.0.1:9133, without a token.',
  });
}

/** Undefined where there is none: an admin server may be open to its own machine. */
async function tokenOf({ tokenFile }: AdminOptions): Promise<string | undefined> {
  const what = 'the token of the admin server';
  if (tokenFile !== undefined) return readSecret(what, { file: tokenFile });
  if (!process.env[TOKEN_VARIABLE]?.trim()) return undefined;
  return readSecret(what, { env: TOKEN_VARIABLE });
}

/** The user of this process, for the record of actions. */
function operatorName(): string | undefined {
  try {
    return userInfo().username.replace(/[^\x21-\x7e]/g, '') || undefined;
  } catch {
    // a container may run as a user that has no name
    return undefined;
  }
}
