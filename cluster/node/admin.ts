import { spaceReport } from '#actors/caretaker/space/report';
import type { TreeNode } from '#runtime/actors/types';
import { FollowedActions } from '../admin/actions/followed-actions.ts';
import type { NodeControls } from '../admin/actions/node-controls.ts';
import { operatorActions } from '../admin/actions/operator-actions.ts';
import type { OwnNode } from '../admin/api/nodes.ts';
import { adminApp } from '../admin/app.ts';
import { readTokens } from '../admin/door/tokens.ts';
import { metricsPage } from '../admin/metrics.ts';
import { pages } from '../admin/pages/pages.tsx';
import { Probes } from '../admin/report/probes.ts';
import { nodeReporter } from '../admin/report/reporter.ts';
import { serveAdmin } from '../admin/server.ts';
import { feeBalances } from '../admin/view/balances.ts';
import { Gatherer, REPORT } from '../admin/view/gather.ts';
import { KnownNodes } from '../admin/view/known-nodes.ts';
import type { Readiness } from '../admin/view/node-report.ts';
import { PEERS, peersOf } from '../admin/view/peers.ts';
import { providerView } from '../admin/view/provider.ts';
import { hasRole, ROLES } from '../config/roles.ts';
import { VERSION } from '../version.ts';
import type { Foundation } from './foundation.ts';
import { watchBalances, watchNode } from './gauges.ts';
import { retryUntilUp } from './retry-until-up.ts';
import type { StartContext } from './start-context.ts';
import type { Work } from './work.ts';

export interface AdminParts {
  readonly tree: () => TreeNode;
  readonly readiness: () => Readiness;
  readonly controls: NodeControls;
}

/**
 * Opens what operators see: the answers of this node on the home plane, and the admin server, which shows all nodes.
 * @returns its port
 * @throws as `startNode`
 */
export async function openAdmin(
  context: StartContext,
  foundation: Foundation,
  work: Work,
  parts: AdminParts,
): Promise<number> {
  const { name, config, lifecycle, metrics, log, signal } = context;
  const { journal, home } = foundation;
  const { tokens: sources, openLoopback, hosts, probes, listen } = config.admin;
  const tokens = await readTokens({
    ...(sources.view && { view: sources.view }),
    ...(sources.act && { act: sources.act }),
  });
  const own = ownNode(context, foundation, work, parts);
  watchNode(metrics, own.report);
  const known = new KnownNodes(journal.ledger);
  await lifecycle.open(
    'entry among the nodes',
    () => retryUntilUp('the ledger', () => known.started(name), { log, signal }),
    () => known.stopped(name),
  );
  await lifecycle.open(
    'inspect point',
    () => home.inspect.serve(name, parts.tree),
    (it) => it.stop(),
  );
  await lifecycle.open(
    'report on this node',
    () => home.rollCall.serve(REPORT, name, own.report),
    (it) => it.stop(),
  );
  await lifecycle.open(
    'report on other SPs',
    () => home.rollCall.serve(PEERS, name, async () => work.peerCounts.report()),
    (it) => it.stop(),
  );
  const providers = () => foundation.chain.storageProviders();
  const gatherer = new Gatherer({ rollCall: home.rollCall, inspect: home.inspect, known });
  const balances = feeBalances(foundation.chain, {
    operator: foundation.keys.operator.address,
    seal: foundation.keys.seal.address,
  });
  watchBalances(metrics, balances);
  const view = providerView({
    node: name,
    spId: config.sp.id,
    gatherer,
    journal,
    records: work.records,
    directory: home.directory,
    known,
    balances,
    peers: (over) => peersOf({ spId: config.sp.id, gatherer, providers, bans: work.bans }, over),
  });
  const owners = operatorActions({
    node: name,
    spId: config.sp.id,
    journal,
    queue: home.queue,
    directory: home.directory,
    calls: home.calls,
    bans: work.bans,
    known,
    audit: work.records.audit,
    log,
  });
  const actions = await lifecycle.open(
    'actions of operators',
    () => new FollowedActions(owners),
    (it) => it.close(),
  );
  const door = { tokens, openLoopback, hosts: [listen.host, ...hosts], probes };
  const ui = await pages({ view, actions });
  const server = await lifecycle.open(
    'admin server',
    () =>
      serveAdmin(
        adminApp({
          view,
          own,
          actions,
          version: VERSION,
          door,
          parts: [metricsPage(metrics), ui.app],
          errorPage: ui.errorPage,
        }),
        listen,
        log,
      ),
    (it) => it.close(),
  );
  metrics.watchBound({ what: 'admin_connections', unit: 'items', ...server.connections });
  return server.port;
}

function ownNode(
  { name, config, metrics }: StartContext,
  { journal, chain, homeLink, home }: Foundation,
  { records, background, space, peersLink }: Work,
  { tree, readiness, controls }: AdminParts,
): OwnNode {
  const { succession, durability, leaseLosses } = home;
  const since = Date.now();
  const report = nodeReporter({
    node: name,
    spId: config.sp.id,
    version: VERSION,
    roles: ROLES.filter((role) => hasRole(config.roles, role)),
    durability,
    since,
    reserveBytes: config.limits.diskReserve,
    probes: new Probes({
      chain,
      homeLink,
      peersLink,
      journal,
      records,
      ...(succession && { succession }),
      space,
    }),
    load: () => background.report,
    readiness,
    isPaused: () => controls.isPaused,
    counters: metrics,
    leaseLosses,
  });
  const graceMs = config.timing.replacedMinutes * 60_000;
  return { report, tree, load: () => background.report, space: () => spaceReport(journal.ledger, graceMs) };
}
