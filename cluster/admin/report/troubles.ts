import type { NodeReport } from '../view/node-report.ts';

/** Something that a node depends on and that is not as it should be. */
export interface Trouble {
  readonly what: string;
  /** True when clients should be sent elsewhere: nothing that they ask of this node can succeed. */
  readonly blocks: boolean;
}

/** A chain that lags longer counts as trouble, ms: approvals are refused from then on. */
const CHAIN_LAG_MS = 30_000;

/** For so long operators are shown that a node was fenced, ms. */
const RECENT_MS = 3_600_000;

/** Whether a node has lost leases of late. @param now unix ms */
export function wasFenced({ leaseLosses }: NodeReport, now: number): boolean {
  return leaseLosses !== undefined && now - leaseLosses.lastAt < RECENT_MS;
}

/** Whether load balancers should send clients to a node, and why not. */
export function readinessOf(report: NodeReport): { readonly isReady: boolean; readonly because: string } {
  const { readiness } = report;
  const blocking = troublesOf(report).filter(({ blocks }) => blocks);
  const because = readiness === 'ready' ? blocking.map(({ what }) => what).join(', ') : readiness;
  return { isReady: because === '', because };
}

/** What is wrong with a node, as far as it knows. @param now unix ms */
export function troublesOf(report: NodeReport, now = Date.now()): readonly Trouble[] {
  const { fenced, nats, chain, records, disk, leaseLosses } = report;
  const found: (Trouble | false)[] = [
    fenced && { what: 'another node has succeeded this one, which writes nothing any more', blocks: true },
    leaseLosses !== undefined &&
      wasFenced(report, now) && {
        what: `it was fenced at ${new Date(leaseLosses.lastAt).toISOString()}: it could not renew its leases in time, and its work may have gone to other nodes`,
        blocks: false,
      },
    !nats.connected && { what: 'NATS does not answer', blocks: true },
    nats.connected && !nats.jetStream && { what: 'JetStream does not answer', blocks: true },
    nats.peersConnected === false && {
      what: 'the nats-server that connects the storage providers does not answer',
      blocks: false,
    },
    chain.error !== undefined && { what: 'the chain does not answer', blocks: false },
    (chain.lagMs ?? 0) > CHAIN_LAG_MS && {
      what: `the newest block of the chain is ${Math.round((chain.lagMs ?? 0) / 1_000)} s old`,
      blocks: false,
    },
    !records.reachable && { what: 'the SQL DB does not answer', blocks: false },
    disk.freeBytes !== undefined &&
      disk.freeBytes < disk.reserveBytes && {
        what: `${disk.freeBytes} bytes are free for pieces, which is within the reserve`,
        blocks: false,
      },
  ];
  return found.filter((trouble) => trouble !== false);
}
