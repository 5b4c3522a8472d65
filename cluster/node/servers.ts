import { createGateway } from '#gateway/gateway';
import { DEFAULT_LIMITS, type GatewayLimits } from '#gateway/limits';
import { serveGateway } from '#gateway/server';
import { REPLICATE_PIECE_PATH } from '#protocols/replication/receive-message';
import { RECOVER_PIECE_PATH } from '#protocols/replication/recovery-message';
import type { TreeNode } from '#runtime/actors/types';
import { Proxies } from '#runtime/http/proxies';
import type { NodeControls } from '../admin/actions/node-controls.ts';
import type { Readiness } from '../admin/view/node-report.ts';
import { hasRole } from '../config/roles.ts';
import type { NodeConfig } from '../config/schema.ts';
import { openAdmin } from './admin.ts';
import { openControls } from './controls.ts';
import type { Foundation } from './foundation.ts';
import { openPresence } from './presence.ts';
import type { StartContext } from './start-context.ts';
import { drainTree } from './tree.ts';
import type { Work } from './work.ts';

/** The servers of a node, opened last. */
export interface Servers {
  readonly ports: { readonly gateway?: number; readonly admin: number };
  /** The supervision tree. */
  tree(): TreeNode;
}

/** How long connections may take to close once their requests have been cut off, ms. */
const CUT_OFF_MS = 5_000;

/**
 * Opens what operators see and, on a node with that role, the gateway.
 * @throws as `startNode`
 */
export async function openServers(node: StartContext, foundation: Foundation, work: Work): Promise<Servers> {
  const { config, lifecycle } = node;
  const { system, actors } = work;
  const tree = () => system.tree();
  let readiness: Readiness = 'starting';
  const controls = await openControls(node, foundation, work);
  const state = () => (readiness === 'ready' && controls.isDraining ? 'draining' : readiness);
  const admin = await openAdmin(node, foundation, work, { tree, readiness: state, controls });
  const ports = {
    admin,
    ...(hasRole(config.roles, 'gateway') && { gateway: await openGateway(node, foundation, work, controls) }),
  };
  // Opened last, so that it comes first when the node stops: what is in progress then has its time in the gateway.
  await lifecycle.open(
    'drain',
    () => {
      readiness = 'ready';
    },
    () => {
      readiness = 'draining';
      drainTree(actors, config.journal.adapter === 'jetstream');
    },
  );
  return { ports, tree };
}

/** Opens the gateway. @returns its port */
async function openGateway(
  node: StartContext,
  { keys, chain, home }: Foundation,
  { records, background, actors }: Work,
  controls: NodeControls,
): Promise<number> {
  const { config, lifecycle, metrics, traces, log } = node;
  const { objects, receivers, repairer, announcer } = actors;
  const proxies = new Proxies(config.gateway.proxies);
  const drainMs = config.gateway.drainSeconds * 1_000;
  const present = await openPresence(node, home, 'gateways');
  const gateway = await lifecycle.open(
    'gateway',
    () =>
      serveGateway(
        createGateway({
          chain,
          spId: config.sp.id,
          approvalKey: keys.approval,
          pieces: home.pieces,
          offChainKeys: records.offChainKeys,
          objects,
          announcer,
          repairer,
          ...(config.peers.wires.includes('http') && { receivers }),
          limits: gatewayLimits(config),
          gateways: () => present.count(),
          isPaused: () => controls.isPaused,
          domains: config.gateway.domains,
          anyHost: config.gateway.anyHost,
          proxies,
          corsOrigins: config.gateway.corsOrigins,
          metrics,
          traces,
          log,
        }),
        {
          ...config.gateway.listen,
          closeTimeoutMs: drainMs,
          maxPerClient: config.gateway.perClient.connections,
          keepAliveMs: config.gateway.keepAliveSeconds * 1_000,
          proxies,
          onRequest: ({ url }) => (isOfPeer(url) ? () => undefined : background.requestStarted()),
          ...(config.gateway.tls && { tls: config.gateway.tls }),
          log,
        },
      ),
    (it) => it.close(),
    drainMs + CUT_OFF_MS,
  );
  metrics.watchBound({ what: 'gateway_connections', unit: 'items', ...gateway.connections });
  return gateway.port;
}

/** Requests of other SPs do not take precedence over our own jobs. */
function isOfPeer(url = '/'): boolean {
  return [REPLICATE_PIECE_PATH, RECOVER_PIECE_PATH].some((path) => url.startsWith(path));
}

/** Without a limit in the configuration, the chain's limit on the size of an object is the only one. */
function gatewayLimits({ limits, gateway }: NodeConfig): GatewayLimits {
  return {
    ...DEFAULT_LIMITS,
    maxPayloadSize: limits.maxPayload ?? Number.MAX_SAFE_INTEGER,
    maxUploads: limits.concurrentUploads,
    maxReceptions: limits.concurrentReceptions,
    maxDownloads: limits.concurrentDownloads,
    idleTimeoutMs: limits.idleTimeoutMs,
    minBytesPerSecond: limits.minUploadRate,
    minDownloadBytesPerSecond: limits.minDownloadRate,
    perClient: gateway.perClient,
    delegation: gateway.delegation,
  };
}
