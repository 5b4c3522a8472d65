import type { ActorSystem, SystemWatcher, TreeNode } from '#runtime/actors/types';
import { orAborted } from '#runtime/async/or-aborted';
import { withDeadline } from '#runtime/async/with-deadline';
import type { Chain } from '#runtime/chain/chain';
import type { Home } from '#runtime/home/open-home';
import type { Background } from '#runtime/load/background';
import type { Metrics } from '#runtime/telemetry/metrics';
import { readinessOf } from '../admin/report/troubles.ts';
import type { NodeReport } from '../admin/view/node-report.ts';
import type { KeyBalance } from '../admin/view/provider-view.ts';

/** States that are read when Prometheus asks, since nobody has to count them in the meantime. */

/** How long one of them may take to be read; without an answer it is left out; ms. */
const LIMIT_MS = 2_000;

export function countFailures(metrics: Metrics): SystemWatcher {
  return {
    failed: (_kind, error) => {
      if (error.kind !== 'cancelled') metrics.errors.of('actor', error.code).inc();
    },
    refused: (kind) => metrics.mailboxFull.of(kind).inc(),
  };
}

/** Actors by kind: how many there are, their mailboxes and restarts. */
export function watchActors({ registry }: Metrics, system: Pick<ActorSystem, 'tree'>): void {
  const actors = () => byKind(system.tree().children);
  const each = (value: (of: KindOfActors) => number) => () =>
    Array.from(actors(), ([kind, of]) => [[kind], value(of)] as const);
  registry.readAll(
    'sealion_actors',
    'Running actors.',
    ['kind'],
    each(({ count }) => count),
  );
  registry.readAll(
    'sealion_mailbox_messages',
    'Messages that wait for actors of a kind.',
    ['kind'],
    each(({ mailbox }) => mailbox),
  );
  registry.readAll(
    'sealion_mailbox_longest_messages',
    'The longest mailbox of a kind.',
    ['kind'],
    each(({ longest }) => longest),
  );
  registry.readAll(
    'sealion_actor_restarts',
    'Restarts of the actors that run now.',
    ['kind'],
    each(({ restarts }) => restarts),
  );
}

export function watchLoad({ registry }: Metrics, background: Pick<Background, 'report'>): void {
  registry.read(
    'sealion_event_loop_late_seconds',
    'Mean delay of an event that arrives at a random moment, while the node has something to do.',
    () => background.report.eventLoop.lateMs / 1_000,
  );
  registry.read(
    'sealion_event_loop_worst_seconds',
    'The longest recent block of the event loop.',
    () => background.report.eventLoop.worstMs / 1_000,
  );
  registry.read(
    'sealion_client_requests',
    'Requests of clients in progress.',
    () => background.report.requests,
  );
  registry.read('sealion_jobs_in_work', 'Jobs that this node works on.', () => background.report.jobs.inWork);
  registry.read(
    'sealion_jobs_allowed',
    'Jobs that this node may work on under the current load.',
    () => background.report.jobs.allowed,
  );
}

export interface WatchedHome {
  readonly home: Pick<Home, 'queue' | 'leaseLosses'>;
  readonly chain: Pick<Chain, 'latestBlock'>;
  readonly freeBytes: (signal: AbortSignal) => Promise<number>;
}

export function watchHome({ registry }: Metrics, { home, chain, freeBytes }: WatchedHome): void {
  const waiting = () =>
    withDeadline(LIMIT_MS, [], (signal) => orAborted(home.queue.waiting({ signal }), signal));
  registry.readAll(
    'sealion_lost_leases',
    'Leases that this node could not renew in time, since its start: it was suspended, or cut off from nats-server.',
    ['of'],
    () => {
      const { jobs, roles } = home.leaseLosses() ?? { jobs: 0, roles: 0 };
      return [
        [['jobs'], jobs],
        [['roles'], roles],
      ];
    },
  );
  registry.read(
    'sealion_queue_jobs',
    'Jobs of the SP that have not ended: waiting, in work, or until their next try.',
    async () => (await waiting()).entries,
  );
  registry.read('sealion_queue_oldest_seconds', 'Age of the oldest of them.', async () => {
    const { oldestAt } = await waiting();
    return oldestAt === undefined ? 0 : secondsSince(oldestAt);
  });
  registry.read('sealion_free_bytes', 'Space that is left for pieces.', () =>
    withDeadline(LIMIT_MS, [], (signal) => orAborted(freeBytes(signal), signal)),
  );
  const block = () => withDeadline(LIMIT_MS, [], (signal) => chain.latestBlock({ age: 'seconds', signal }));
  registry.read('sealion_chain_height', 'Height of the newest block.', async () => (await block()).height);
  registry.read('sealion_chain_lag_seconds', 'Age of the newest block.', async () =>
    secondsSince((await block()).time),
  );
}

/** What the node says of itself, as on the pages for operators. */
export function watchNode({ registry }: Metrics, report: () => Promise<NodeReport>): void {
  registry.read(
    'sealion_ready',
    '1 while clients may be sent to the node, as /ready says; 0 before and after, and while NATS is away.',
    async () => (readinessOf(await report()).isReady ? 1 : 0),
  );
  registry.read('sealion_fenced', '1 once another node has succeeded this one.', async () =>
    (await report()).fenced ? 1 : 0,
  );
  registry.read(
    'sealion_records_behind_positions',
    'Positions of the journal that are not in the SQL DB yet; absent while it cannot be reached.',
    async () => (await report()).records.behind,
  );
  registry.read(
    'sealion_nats_rtt_seconds',
    'Time of a round trip to the nats-server of the home plane; absent while it cannot be reached.',
    async () => {
      const { rttMs } = (await report()).nats;
      return rttMs === undefined ? undefined : rttMs / 1_000;
    },
  );
}

/** What the accounts that pay fees have left. @param balances may be slightly old */
export function watchBalances(
  { registry }: Metrics,
  balances: (signal: AbortSignal) => Promise<readonly KeyBalance[]>,
): void {
  registry.readAll(
    'sealion_fee_balance_bnb',
    'BNB of the account of each key that pays fees; absent while the chain does not answer.',
    ['key'],
    async () =>
      (await withDeadline(LIMIT_MS, [], balances)).map(({ key, bnb }) => [[key], Number(bnb)] as const),
  );
}

interface KindOfActors {
  count: number;
  mailbox: number;
  longest: number;
  restarts: number;
}

function byKind(
  nodes: readonly TreeNode[],
  kinds = new Map<string, KindOfActors>(),
): ReadonlyMap<string, KindOfActors> {
  for (const { kind, mailbox, restarts, children } of nodes) {
    const of = kinds.get(kind) ?? { count: 0, mailbox: 0, longest: 0, restarts: 0 };
    kinds.set(kind, of);
    of.count += 1;
    of.mailbox += mailbox;
    of.longest = Math.max(of.longest, mailbox);
    of.restarts += restarts;
    byKind(children, kinds);
  }
  return kinds;
}

function secondsSince(at: number): number {
  return Math.max(0, Date.now() - at) / 1_000;
}
