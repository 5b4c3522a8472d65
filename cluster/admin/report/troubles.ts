import type { NodeReport } from '../view/node-report.ts';

/** Something that a node depends on and that is not as it should be. */
export interface Trouble {
  readonly what: string;
  /** True when clients should be sent elsewhere: nothing that they ask of this node can succeed. */
  readonly blocks: boolean;
}

/** A chain that lags longer counts as trouble, ms: approvals are refused from then on. */
const CHAIN_LAG_MS = 30_000;

/** What is wrong with a node, as far as it knows. */
export function troublesOf({ fenced, nats, chain, records, disk }: NodeReport): readonly Trouble[] {
  const found: (Trouble | false)[] = [
    fenced && { what: 'another node has succeeded this one, which writes nothing any more', blocks: true },
    !nats.connected && { what: 'NATS does not answer', blocks: true },
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
