import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable } from '#protocols/errors';
import type { Trees } from '../admin/view/trees.ts';
import { openHomeView } from './home-view.ts';
import { type NetworkSp, readNetwork, spOf } from './network.ts';
import { openAdmin } from './operator/admin.ts';
import { type AdminOptions, adminUrlOf } from './operator/admin-url.ts';
import type { Reporter } from './reporter.ts';
import { treeLines } from './tree-view.ts';
import { DEVNET_FILE } from './values.ts';

const WATCH_MS = 1_000;

/** `sealion tree`: shows the actors of each node, and which nodes do not answer. */
export async function tree(
  options: AdminOptions & { readonly watch?: boolean },
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const look = adminUrlOf(options) === undefined ? await throughNats(options) : await throughAdmin(options);
  do {
    await look(report, signal);
    if (options.watch) await sleep(WATCH_MS, undefined, { signal });
  } while (options.watch);
}

/** One look at the actors. */
type Look = (report: Reporter, signal: AbortSignal) => Promise<void>;

async function throughNats({ network: path = DEVNET_FILE, sp }: AdminOptions): Promise<Look> {
  const network = await readNetwork(path);
  const sps = sp === undefined ? network.sps : [spOf(network, sp)];
  return async (report, signal) => {
    for (const each of sps) await show(each, report, signal);
  };
}

async function throughAdmin(options: AdminOptions): Promise<Look> {
  const api = await openAdmin(options, 'view');
  return async (report, signal) => {
    const { trees, silent } = await api.get<Trees>('/api/trees', signal);
    for (const node of trees) report.line(treeLines(node, Date.now()), { event: 'tree', tree: node });
    for (const node of silent) report.line(`${node}  does not answer`, { event: 'silent', node });
  };
}

async function show(sp: NetworkSp, report: Reporter, signal: AbortSignal): Promise<void> {
  const view = await openHomeView(sp);
  try {
    const nodes = await view.inspect.read({ signal });
    if (nodes.length === 0) {
      throw new Retryable({
        code: 'no-node',
        message: `No node of storage provider ${sp.id} answers.`,
        advice: 'Check that it is running.',
      });
    }
    for (const node of nodes) {
      report.line(treeLines(node, Date.now()), { event: 'tree', spId: sp.id, tree: node });
    }
    const answered = new Set(nodes.map(({ name }) => name));
    for (const { name } of sp.nodes ?? []) {
      const node = `sp-${sp.id}@${name}`;
      if (!answered.has(node))
        report.line(`${node}  does not answer`, { event: 'silent', spId: sp.id, node });
    }
  } finally {
    await view.close();
  }
}
