import type { TreeNode } from '#runtime/actors/types';
import { createLogger } from '#runtime/telemetry/logger';
import { Metrics } from '#runtime/telemetry/metrics';
import { openTraces } from '#runtime/telemetry/open-traces';
import { noTraces } from '#runtime/telemetry/traces';
import type { NodeConfig } from '../config/schema.ts';
import { openFoundation } from './foundation.ts';
import { Lifecycle } from './lifecycle.ts';
import { openServers } from './servers.ts';
import type { StartContext } from './start-context.ts';
import { openWork } from './work.ts';

export interface RunningNode {
  /** For example `sp-1@node-a`. */
  readonly name: string;
  /** `gateway` is absent on a node without that role. */
  readonly ports: { readonly gateway?: number; readonly admin: number };
  readonly metrics: Metrics;
  /** The supervision tree. */
  tree(): TreeNode;
  /** Closes everything in reverse order, each part in bounded time. */
  stop(): Promise<void>;
}

/**
 * Starts one node of an SP. Waits for dependencies that cannot be reached yet (chain, NATS).
 * @throws Terminal for errors that only an operator can correct: keys that are not the SP's, a wrong chain, a data
 * folder in use, refused credentials, an unusable certificate, ports in use; Cancelled when the signal fires before the
 * node is ready
 */
export async function startNode(
  config: NodeConfig,
  options: { readonly signal?: AbortSignal } = {},
): Promise<RunningNode> {
  const name = `sp-${config.sp.id}@${config.node}`;
  const { level, file } = config.log;
  const log = createLogger({ level, ...(file !== undefined && { file }), fields: { node: name } });
  const lifecycle = new Lifecycle(log);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= lifecycle.close().then(() => log.info({}, 'stopped'));
    return stopped;
  };
  try {
    const signal = options.signal ?? new AbortController().signal;
    const metrics = new Metrics();
    await lifecycle.open(
      'metrics',
      () => metrics.keepMinutes(),
      (it) => it.stop(),
    );
    const { endpoint, sampling } = config.telemetry.traces;
    const traces =
      endpoint === undefined
        ? noTraces
        : await lifecycle.open(
            'traces',
            () => openTraces({ endpoint, sampling, node: name, log }),
            (it) => it.close(),
          );
    const node: StartContext = { name, config, lifecycle, metrics, traces, log, signal };
    const foundation = await openFoundation(node);
    const work = await openWork(node, foundation);
    const { ports, tree } = await openServers(node, foundation, work);
    const { durability } = foundation.home;
    log.info({ ...ports, durability }, `serving; an acknowledged payload is ${durability}`);
    return { name, ports, metrics, tree, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
