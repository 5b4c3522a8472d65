import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable } from '#protocols/errors';
import { openHomeView } from './home-view.ts';
import { type NetworkSp, readNetwork, spOf } from './network.ts';
import type { Reporter } from './reporter.ts';
import { treeLines } from './tree-view.ts';

const WATCH_MS = 1_000;

/** `sealion tree`: shows the actors of each node, and which nodes do not answer. */
export async function tree(
  options: { readonly network: string; readonly sp?: number; readonly watch?: boolean },
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const network = await readNetwork(options.network);
  const sps = options.sp === undefined ? network.sps : [spOf(network, options.sp)];
  do {
    for (const sp of sps) await show(sp, report, signal);
    if (options.watch) await sleep(WATCH_MS, undefined, { signal });
  } while (options.watch);
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
