import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { TreeNode } from '#runtime/actors/types';
import { AdminApi } from '../client/admin-api.ts';
import type { Role } from '../config/roles.ts';
import type { Devnet } from '../devnet/devnet.ts';
import { keyPlaces } from '../devnet/node-files.ts';

/** Restarts nodes of SP 1 with other roles, the keys that these need, and a new data folder, all at once. */
export async function giveRoles(devnet: Devnet, roles: Readonly<Record<string, readonly Role[]>>) {
  await Promise.all(
    Object.entries(roles).map(async ([name, given]) => {
      const file = join(dirname(devnet.path), 'state', 'sp1', `config-${name}.yaml`);
      const config = parse(await readFile(file, 'utf8')) as Record<string, unknown>;
      const own = { roles: given, keys: keyPlaces(given), dataDir: rolesFolder(name) };
      await writeFile(file, stringify({ ...config, ...own }), { mode: 0o600 });
      await devnet.sp(1, name).restart();
    }),
  );
}

/** What is in the data folder of a node that was given roles. */
export async function dataOf(devnet: Devnet, name: string): Promise<readonly string[]> {
  return readdir(join(dirname(devnet.path), 'state', 'sp1', rolesFolder(name)));
}

function rolesFolder(name: string): string {
  return `roles-${name}`;
}

/** The top actors of a node of SP 1. */
export async function actorsOf(devnet: Devnet, name: string): Promise<readonly TreeNode[]> {
  const node = devnet.file.sps[0]?.nodes?.find((one) => one.name === name);
  const api = await AdminApi.of(node?.admin ?? '', devnet.file.adminTokens);
  return (await api.get<TreeNode>('/api/nodes/self/tree')).children;
}
