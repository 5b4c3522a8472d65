import { userInfo } from 'node:os';
import { readSecret } from '#runtime/keys/secret';
import type { AdminRole } from '../../admin/door/tokens.ts';
import { AdminApi } from '../../client/admin-api.ts';
import { DEVNET_FILE } from '../values.ts';
import { type AdminOptions, adminUrlOf, TOKEN_VARIABLE } from './admin-url.ts';

/**
 * The API of an admin server, with the token that the caller has.
 * @throws Terminal `bad-admin-url`, as `readSecret` and `readNetwork`
 */
export async function openAdmin(options: AdminOptions, role: AdminRole): Promise<AdminApi> {
  const url = adminUrlOf(options);
  const operator = operatorName();
  if (url !== undefined) return new AdminApi(url, await tokenOf(options), operator);
  const { readNetwork, spOf } = await import('../network.ts');
  const network = await readNetwork(options.network ?? DEVNET_FILE);
  const { admin } = spOf(network, options.sp);
  if (options.tokenFile !== undefined) return new AdminApi(admin, await tokenOf(options), operator);
  return AdminApi.of(admin, network.adminTokens, role, operator);
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
