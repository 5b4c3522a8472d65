import type { TreeNode } from '#runtime/actors/types';
import { Cache } from '#runtime/async/cache';
import type { NodeReports } from '../view/node-report.ts';
import type { PeerReport } from '../view/peer-report.ts';
import type { KeyBalance, ProviderView, QueueReport } from '../view/provider-view.ts';

/** Answers are shared by all open pages of a node for this long, ms, so that their number does not matter to others. */
const SHARED_MS = 900;
/** Balances come from the chain, and change slowly. */
const BALANCES_SHARED_MS = 30_000;

interface Answers {
  readonly nodes: NodeReports;
  readonly trees: { readonly trees: readonly TreeNode[]; readonly silent: readonly string[] };
  readonly queue: QueueReport;
  readonly peers: readonly PeerReport[];
}

/** What open pages ask for again and again. */
export interface PageSources {
  readonly get: <K extends keyof Answers>(what: K, signal?: AbortSignal) => Promise<Answers[K]>;
  readonly balances: (signal?: AbortSignal) => Promise<readonly KeyBalance[]>;
}

export function pageSources(view: ProviderView): PageSources {
  const loads: { readonly [K in keyof Answers]: () => Promise<Answers[K]> } = {
    nodes: () => view.nodes(),
    trees: () => view.trees(),
    queue: () => view.queue(),
    peers: () => view.peers(),
  };
  const answers = new Cache<keyof Answers, Answers[keyof Answers]>({
    ttlMs: SHARED_MS,
    maxEntries: Object.keys(loads).length,
    load: (what) => loads[what](),
  });
  const balances = new Cache<string, readonly KeyBalance[]>({
    ttlMs: BALANCES_SHARED_MS,
    maxEntries: 1,
    load: () => view.balances(),
  });
  return {
    get: async <K extends keyof Answers>(what: K, signal?: AbortSignal) =>
      (await answers.get(what, signal)) as Answers[K],
    balances: (signal) => balances.get('balances', signal),
  };
}
