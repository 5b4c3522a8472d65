import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { homeUser, peersUser } from '#runtime/nats/accounts';
import { postgresUrl } from '#runtime/records/postgres-server';
import { KEYS, needsKey, type StatedRoles } from '../config/roles.ts';
import { type DevnetPlan, domainOf, isCluster, type NodePlan, natsUrl, nodesOf } from './plan.ts';

/** Settings of a node that a devnet may change; see cluster/deploy/sealion.example.yaml. */
export interface NodeSettings {
  /** Whether the nats-server syncs before it acknowledges. */
  readonly syncAlways?: boolean;
  readonly timing?: object;
  readonly journal?: object;
  readonly limits?: object;
  readonly peers?: { readonly wires?: readonly string[] };
  readonly gateway?: object;
  readonly log?: object;
  readonly telemetry?: object;
}

/**
 * Writes the key files of an SP into a folder, and the configuration of one of its nodes.
 * @returns path of the configuration
 */
export async function writeNodeFiles(
  folder: string,
  plan: DevnetPlan,
  index: number,
  { syncAlways = false, ...settings }: NodeSettings = {},
  node: NodePlan = nodesOf(plan, index)[0] as NodePlan,
): Promise<string> {
  const { genesis, ports, natsAccounts, postgres, adminTokens } = plan;
  const [keys, sp, account] = [genesis.sps[index], genesis.chain.sps[index], natsAccounts[index]];
  if (!keys || !sp || !account) throw new RangeError(`the plan has no SP at ${index}`);
  await mkdir(join(folder, 'keys'), { recursive: true, mode: 0o700 });
  for (const name of KEYS) {
    await writeFile(join(folder, 'keys', name), `${keys[name]}\n`, { mode: 0o600 });
  }
  for (const role of ['view', 'act'] as const) {
    await writeFile(join(folder, 'keys', `admin-${role}.token`), `${adminTokens[role]}\n`, { mode: 0o600 });
  }
  const url = natsUrl(plan);
  const config = {
    sp: { id: sp.id, operatorAddress: sp.operatorAddress },
    node: node.name,
    dataDir: isCluster(plan, index) ? `data-${node.name}` : 'data',
    roles: node.roles,
    chain: { rpc: [`http://127.0.0.1:${ports.chain}`], chainId: genesis.chain.chainId },
    admin: {
      listen: { host: '127.0.0.1', port: node.admin },
      tokens: { view: { file: 'keys/admin-view.token' }, act: { file: 'keys/admin-act.token' } },
    },
    nats: {
      home: {
        url,
        user: homeUser(sp.id),
        password: account.homePassword,
        syncAlways,
        replicas: ports.nats.length,
      },
      peers: { url, user: peersUser(sp.id), password: account.peersPassword },
    },
    keys: keyPlaces(node.roles, settings.peers),
    ...(index === 0 &&
      postgres && {
        records: {
          adapter: 'postgres',
          postgres: { url: postgresUrl(postgres.port), password: postgres.password },
        },
      }),
    ...settings,
    gateway: {
      listen: { host: '127.0.0.1', port: node.gateway },
      domains: [domainOf(sp.id)],
      ...settings.gateway,
    },
    peers: { allowPrivateEndpoints: true, ...settings.peers },
    ...(isCluster(plan, index) && { journal: { ...settings.journal, adapter: 'jetstream' } }),
  };
  const path = join(folder, isCluster(plan, index) ? `config-${node.name}.yaml` : 'config.yaml');
  await writeFile(path, stringify(config), { mode: 0o600 });
  return path;
}

/** Where the keys are that a node of these roles needs. */
export function keyPlaces(
  roles: StatedRoles,
  { wires = ['nats', 'http'] }: NonNullable<NodeSettings['peers']> = {},
): Readonly<Record<string, { readonly file: string }>> {
  const needed = KEYS.filter((key) => needsKey(roles, key, wires));
  return Object.fromEntries(needed.map((key) => [key, { file: `keys/${key}` }]));
}
