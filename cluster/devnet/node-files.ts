import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { homeUser, peersUser } from '#runtime/nats/accounts';
import { type DevnetPlan, domainOf } from './plan.ts';

/** Settings of a node that a devnet may change; see cluster/deploy/sealion.example.yaml. */
export interface NodeSettings {
  readonly timing?: object;
  readonly limits?: object;
  readonly peers?: object;
  readonly log?: object;
}

/**
 * Writes the key files and the configuration of one SP's node into a folder.
 * @returns path of the configuration
 */
export async function writeNodeFiles(
  folder: string,
  plan: DevnetPlan,
  index: number,
  settings: NodeSettings = {},
): Promise<string> {
  const { genesis, ports, natsAccounts } = plan;
  const [keys, sp, account] = [genesis.sps[index], genesis.chain.sps[index], natsAccounts[index]];
  if (!keys || !sp || !account) throw new RangeError(`the plan has no SP at ${index}`);
  await mkdir(join(folder, 'keys'), { recursive: true, mode: 0o700 });
  for (const name of ['operator', 'approval', 'seal', 'bls'] as const) {
    await writeFile(join(folder, 'keys', name), `${keys[name]}\n`, { mode: 0o600 });
  }
  const url = `nats://127.0.0.1:${ports.nats}`;
  const config = {
    sp: { id: sp.id, operatorAddress: sp.operatorAddress },
    node: 'a',
    dataDir: 'data',
    chain: { rpc: [`http://127.0.0.1:${ports.chain}`], chainId: genesis.chain.chainId },
    gateway: { listen: { host: '127.0.0.1', port: ports.gateways[index] }, domains: [domainOf(sp.id)] },
    admin: { listen: { host: '127.0.0.1', port: ports.admins[index] } },
    nats: {
      home: { url, user: homeUser(sp.id), password: account.homePassword },
      peers: { url, user: peersUser(sp.id), password: account.peersPassword },
    },
    keys: {
      operator: { file: 'keys/operator' },
      approval: { file: 'keys/approval' },
      seal: { file: 'keys/seal' },
      bls: { file: 'keys/bls' },
    },
    ...settings,
    peers: { allowPrivateEndpoints: true, ...settings.peers },
  };
  const path = join(folder, 'config.yaml');
  await writeFile(path, stringify(config), { mode: 0o600 });
  return path;
}
