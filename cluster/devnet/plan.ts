import { randomBytes } from 'node:crypto';
import { homeUser, type SpAccount } from '#runtime/nats/accounts';
import type { DevnetFile } from './directory.ts';
import { buildGenesis, type DevnetGenesis } from './genesis.ts';
import { freePorts } from './ports.ts';

export interface PlanOptions {
  /** Number of storage providers; at least, and by default, 7. */
  readonly sps?: number;
  /** Number of funded accounts for clients; 3 by default. */
  readonly accounts?: number;
  /** The chain's `max_segment_size`, bytes; 16 MiB by default. */
  readonly segmentSize?: number;
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
    readonly nats: number;
    /** By SP, in the order of the genesis. */
    readonly gateways: readonly number[];
    readonly admins: readonly number[];
  };
  readonly natsAccounts: readonly SpAccount[];
}

/** Name of the object store of each SP. */
export const BUCKET = 'pieces';

/** @throws Terminal `bad-devnet` */
export async function planDevnet(options: PlanOptions): Promise<DevnetPlan> {
  const { sps: count = 7, ports = {}, accounts, segmentSize } = options;
  const free = [...(await freePorts(2 * Math.max(count, 0) + 2))];
  const take = (given: number | undefined) => given ?? (free.pop() as number);
  const row = (first: number | undefined) =>
    Array.from({ length: count }, (_, i) => take(first === undefined ? undefined : first + i));
  const chosen = {
    chain: take(ports.chain),
    nats: take(ports.nats),
    gateways: row(ports.gateway),
    admins: row(ports.admin),
  };
  const genesis = buildGenesis({
    sps: count,
    endpoint: (spId) => `http://${domainOf(spId)}:${chosen.gateways[spId - 1]}`,
    ...(accounts !== undefined && { accounts }),
    ...(segmentSize !== undefined && { storage: { maxSegmentSize: segmentSize } }),
  });
  const natsAccounts = genesis.sps.map(({ id }) => ({
    spId: id,
    homePassword: password(),
    peersPassword: password(),
  }));
  return { genesis, ports: chosen, natsAccounts };
}

/** Host of an SP's gateway. The SDKs refuse a host without a dot; names below localhost are this machine. */
export function domainOf(spId: number): string {
  return `sp${spId}.localhost`;
}

/** The content of devnet.json for a running devnet. */
export function describeDevnet(plan: DevnetPlan, pid: number): DevnetFile {
  const { genesis, ports, natsAccounts } = plan;
  return {
    chain: { rpc: `http://127.0.0.1:${ports.chain}`, chainId: genesis.chain.chainId },
    sps: genesis.chain.sps.map(({ id, operatorAddress, endpoint }, i) => ({
      id,
      operatorAddress,
      endpoint,
      gvgFamilyId: genesis.chain.families.find(({ primarySpId }) => primarySpId === id)?.id ?? 0,
      admin: `http://127.0.0.1:${ports.admins[i]}`,
      nats: {
        url: `nats://127.0.0.1:${ports.nats}`,
        user: homeUser(id),
        password: natsAccounts[i]?.homePassword ?? '',
        bucket: BUCKET,
      },
    })),
    accounts: genesis.accounts.map(({ address, privateKey }) => ({ address, privateKey: `0x${privateKey}` })),
    pid,
  };
}

function password(): string {
  return randomBytes(24).toString('base64url');
}
