import { join } from 'node:path';
import type { Terminal } from '#protocols/errors';
import { accountsConfig, homeUser } from '#runtime/nats/accounts';
import { clusterReady } from '#runtime/nats/cluster-ready';
import { DevnetNats } from './nats-process.ts';
import { type DevnetPlan, natsUrl } from './plan.ts';

export interface NatsServersOptions {
  readonly plan: DevnetPlan;
  /** Folder of their streams. */
  readonly folder: string;
  /** Path of the program, and whether it is to sync before it acknowledges. */
  readonly server?: { readonly binary: string; readonly syncAlways: boolean };
  /** Called when a server ends unexpectedly. */
  readonly onCrash: (error: Terminal) => void;
  readonly signal?: AbortSignal;
}

/** The nats-server of a devnet, or those of its cluster; none of them is started yet. */
export function natsServers({ plan, folder, server, onCrash, signal }: NatsServersOptions): DevnetNats[] {
  return plan.ports.nats.map(
    ({ client }, index) =>
      new DevnetNats(
        {
          config: configOf(plan, index, server?.syncAlways ?? false),
          ...(server && { binary: server.binary }),
          storeDir: index === 0 ? folder : join(folder, `server-${index + 1}`),
          port: client,
          detached: true,
          ...(signal && { signal }),
        },
        onCrash,
      ),
  );
}

/** Resolves when the started servers can create streams. @throws as `clusterReady` */
export async function natsReady(plan: DevnetPlan, signal?: AbortSignal): Promise<void> {
  const [account] = plan.natsAccounts;
  if (plan.ports.nats.length === 1 || !account) return;
  await clusterReady({
    url: natsUrl(plan),
    servers: plan.ports.nats.length,
    user: homeUser(account.spId),
    password: account.homePassword,
    ...(signal && { signal }),
  });
}

function configOf(plan: DevnetPlan, index: number, syncAlways: boolean): string {
  const jetstream = syncAlways ? 'jetstream { sync_interval: always }' : 'jetstream: enabled';
  // As in cluster/deploy: a node that hangs is soon considered gone.
  const settings = ['max_payload: 1MB', 'ping_interval: "5s"', 'ping_max: 2', jetstream];
  const { nats } = plan.ports;
  if (nats.length > 1) {
    const address = (port: number | undefined) => `127.0.0.1:${port}`;
    const routes = nats.map(({ route }) => `nats://${address(route)}`).join(', ');
    settings.push(
      `server_name: server-${index + 1}`,
      `cluster { name: devnet, listen: "${address(nats[index]?.route)}", routes: [${routes}] }`,
    );
  }
  return `${settings.join('\n')}\n${accountsConfig(plan.natsAccounts)}`;
}
