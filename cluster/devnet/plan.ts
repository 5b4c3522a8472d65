import { randomBytes } from 'node:crypto';
import { Terminal } from '#protocols/errors';
import { homeUser, type SpAccount } from '#runtime/nats/accounts';
import { hasRole, ROLES, type StatedRoles } from '../config/roles.ts';
import type { DevnetFile } from './directory.ts';
import { buildGenesis, type DevnetGenesis } from './genesis.ts';
import { freePorts } from './ports.ts';

export interface PlanOptions {
  /** Number of storage providers; at least, and by default, 7. */
  readonly sps?: number;
  /** Number of funded accounts for clients; 3 by default. */
  readonly accounts?: number;
  /** Nodes of SP 1, which share a journal on JetStream and an SQL DB of PostgreSQL if there are several; 1 by default. */
  readonly nodes?: number;
  /** Roles of each of them; all by default. */
  readonly roles?: readonly StatedRoles[];
  /** nats-servers: 1, or 3 that replicate everything; 1 by default. */
  readonly natsServers?: number;
  /** SP 1 has its SQL DB in PostgreSQL even if it has one node. */
  readonly postgres?: boolean;
  /** The chain's `max_segment_size`, bytes; 16 MiB by default. */
  readonly segmentSize?: number;
  /** The endpoints on chain are of HTTPS; the nodes then need a certificate (`gateway.tls`). */
  readonly https?: boolean;
  /** By default free ports. */
  readonly ports?: {
    readonly chain?: number;
    readonly nats?: number;
    /** Port of the first SP; the others get those after it. */
    readonly gateway?: number;
    /** As `gateway`. */
    readonly admin?: number;
  };
}

/** All decisions about a devnet before its processes start. Plain JSON, with all its secrets. */
export interface DevnetPlan {
  readonly genesis: DevnetGenesis;
  readonly ports: {
    readonly chain: number;
    /** Of the nats-server, or of the three of a cluster; `route` is where those find each other. */
    readonly nats: readonly { readonly client: number; readonly route?: number }[];
    /** By SP, in the order of the genesis; of its load balancer, where it has several nodes. */
    readonly gateways: readonly number[];
    readonly admins: readonly number[];
  };
  readonly natsAccounts: readonly SpAccount[];
  /** Nodes of SP 1; those of the others are the defaults. */
  readonly nodes: readonly NodePlan[];
  /** The SQL DB that the nodes of SP 1 share. */
  readonly postgres?: { readonly port: number; readonly password: string };
  /** What opens the admin servers of all nodes. */
  readonly adminTokens: { readonly view: string; readonly act: string };
}

/** One node of an SP. */
export interface NodePlan {
  /** `a`, `b` and so on. */
  readonly name: string;
  readonly roles: StatedRoles;
  readonly gateway: number;
  readonly admin: number;
}

/** Name of the object store of each SP. */
export const BUCKET = 'pieces';
/** A node's name is the letter of its place. */
export const NODE_NAMES = 'abcdefghijklmnop';

/** @throws Terminal `bad-devnet` */
export async function planDevnet(options: PlanOptions): Promise<DevnetPlan> {
  const { sps: count = 7, ports = {}, accounts, segmentSize } = options;
  const free = [...(await freePorts(2 * Math.max(count, 0) + 2 * nodeCount(options) + 8))];
  const take = (given: number | undefined) => given ?? (free.pop() as number);
  const row = (first: number | undefined) =>
    Array.from({ length: count }, (_, i) => take(first === undefined ? undefined : first + i));
  const chosen = {
    chain: take(ports.chain),
    nats: Array.from({ length: natsCount(options) }, (_, i) => ({
      client: take(i === 0 ? ports.nats : undefined),
      ...(natsCount(options) > 1 && { route: take(undefined) }),
    })),
    gateways: row(ports.gateway),
    admins: row(ports.admin),
  };
  const genesis = buildGenesis({
    sps: count,
    endpoint: (spId) =>
      `${options.https ? 'https' : 'http'}://${domainOf(spId)}:${chosen.gateways[spId - 1]}`,
    ...(accounts !== undefined && { accounts }),
    ...(segmentSize !== undefined && { storage: { maxSegmentSize: segmentSize } }),
  });
  const natsAccounts = genesis.sps.map(({ id }) => ({
    spId: id,
    homePassword: password(),
    peersPassword: password(),
  }));
  const several = nodeCount(options) > 1;
  const nodes = Array.from({ length: nodeCount(options) }, (_, i) => ({
    name: NODE_NAMES[i] as string,
    roles: options.roles?.[i] ?? ('all' as const),
    gateway: several ? take(undefined) : (chosen.gateways[0] as number),
    admin: i === 0 ? (chosen.admins[0] as number) : take(undefined),
  }));
  return {
    genesis,
    ports: chosen,
    natsAccounts,
    nodes,
    adminTokens: adminTokens(),
    ...((several || options.postgres) && { postgres: { port: take(undefined), password: password() } }),
  };
}

/** The nodes of the SP at this place of the genesis. */
export function nodesOf(plan: DevnetPlan, index: number): readonly NodePlan[] {
  if (index === 0) return plan.nodes;
  const [gateway, admin] = [plan.ports.gateways[index], plan.ports.admins[index]];
  if (gateway === undefined || admin === undefined) throw new RangeError(`the plan has no SP at ${index}`);
  return [{ name: 'a', roles: 'all', gateway, admin }];
}

function natsCount({ natsServers = 1 }: PlanOptions): number {
  if (natsServers === 1 || natsServers === 3) return natsServers;
  throw new Terminal({
    code: 'bad-devnet',
    message: `A devnet cannot have ${natsServers} nats-servers.`,
    advice: 'Give 1 or 3.',
  });
}

/** Of all nats-servers, separated by commas. */
export function natsUrl({ ports }: DevnetPlan): string {
  return ports.nats.map(({ client }) => `nats://127.0.0.1:${client}`).join(',');
}

/** Whether the nodes of the SP share journal and SQL DB. */
export function isCluster(plan: DevnetPlan, index: number): boolean {
  return nodesOf(plan, index).length > 1;
}

function nodeCount({ nodes = 1 }: PlanOptions): number {
  if (Number.isInteger(nodes) && nodes >= 1 && nodes <= NODE_NAMES.length) return nodes;
  throw new Terminal({
    code: 'bad-devnet',
    message: `A devnet cannot have ${nodes} nodes of its first storage provider.`,
    advice: `Give a number from 1 to ${NODE_NAMES.length}.`,
  });
}

/** Host of an SP's gateway. The SDKs refuse a host without a dot; names below localhost are this machine. */
export function domainOf(spId: number): string {
  return `sp${spId}.localhost`;
}

/**
 * The content of devnet.json for a running devnet.
 * @param adminTokens paths of the files with the tokens
 */
export function describeDevnet(
  plan: DevnetPlan,
  pid: number,
  adminTokens: NonNullable<DevnetFile['adminTokens']>,
): DevnetFile {
  const { genesis, ports, natsAccounts } = plan;
  return {
    chain: { rpc: `http://127.0.0.1:${ports.chain}`, chainId: genesis.chain.chainId },
    sps: genesis.chain.sps.map(({ id, operatorAddress, endpoint }, i) => ({
      id,
      operatorAddress,
      endpoint,
      gvgFamilyId: genesis.chain.families.find(({ primarySpId }) => primarySpId === id)?.id ?? 0,
      admin: `http://127.0.0.1:${ports.admins[i]}`,
      nodes: nodesOf(plan, i).map((node) => ({
        name: node.name,
        roles: ROLES.filter((role) => hasRole(node.roles, role)),
        admin: `http://127.0.0.1:${node.admin}`,
        ...(hasRole(node.roles, 'gateway') && { gateway: `http://127.0.0.1:${node.gateway}` }),
      })),
      nats: {
        url: natsUrl(plan),
        user: homeUser(id),
        password: natsAccounts[i]?.homePassword ?? '',
        bucket: BUCKET,
      },
    })),
    adminTokens,
    accounts: genesis.accounts.map(({ address, privateKey }) => ({ address, privateKey: `0x${privateKey}` })),
    pid,
  };
}

export function adminTokens(): DevnetPlan['adminTokens'] {
  return { view: password(), act: password() };
}

function password(): string {
  return randomBytes(24).toString('base64url');
}
