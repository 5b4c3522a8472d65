import type { TreeNode } from '#runtime/actors/types';
import type { Actions } from '../actions/action.ts';
import type { OwnNode } from '../api/nodes.ts';
import type { NodeReport } from '../view/node-report.ts';
import type { ProviderView } from '../view/provider-view.ts';

/** A view of a provider that does nothing, for tests of what shows it. */

const NO_MINUTES = Array<number>(60).fill(0);

export function reportOf(node: string, parts: Partial<NodeReport> = {}): NodeReport {
  return {
    node,
    spId: 1,
    version: '0.1.0',
    roles: ['gateway', 'task', 'receiver', 'keeper'],
    durability: 'crash-safe',
    since: 1_000,
    readiness: 'ready',
    fenced: false,
    load: { eventLoop: { lateMs: 0, worstMs: 0 }, requests: 0, jobs: { inWork: 0, allowed: 8 } },
    disk: { freeBytes: 2 ** 40, reserveBytes: 2 ** 30 },
    chain: { height: 7, blockAt: 2_000, lagMs: 500 },
    nats: { connected: true, versions: ['2.10.27'], rttMs: 1, jetStream: true },
    records: { reachable: true, behind: 0 },
    totals: { uploads: 0, bytesIn: 0, bytesOut: 0, seals: 0, errors: {} },
    lastHour: {
      since: 0,
      uploads: NO_MINUTES,
      bytesIn: NO_MINUTES,
      bytesOut: NO_MINUTES,
      seals: NO_MINUTES,
      errors: {},
    },
    ...parts,
  };
}

export function treeOf(name: string, children: readonly TreeNode[] = []): TreeNode {
  return { name, path: name, kind: 'system', status: 'running', restarts: 0, mailbox: 0, children };
}

export function ownNode(parts: Partial<OwnNode> = {}): OwnNode {
  const report = reportOf('sp-1@a');
  return {
    report: async () => report,
    tree: () => treeOf('sp-1@a'),
    load: () => report.load,
    space: async () => ({ unneeded: [], incomplete: [] }),
    ...parts,
  };
}

export function noActions(parts: Partial<Actions> = {}): Actions {
  return { perform: async () => 'done', audit: async () => [], ...parts };
}

export function viewOf(parts: Partial<ProviderView> = {}): ProviderView {
  return {
    node: 'sp-1@a',
    spId: 1,
    nodes: async () => ({ reports: [reportOf('sp-1@a')], silent: [] }),
    trees: async () => ({ trees: [treeOf('sp-1@a')], silent: [] }),
    jobs: async () => [],
    job: async () => {
      throw new Error('this view has no jobs');
    },
    peers: async () => [],
    search: async () => [],
    queue: async () => ({ waiting: {} }),
    balances: async () => [],
    ...parts,
  };
}
