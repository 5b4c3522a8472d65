import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/nats-core';
import { SUPERVISION } from '#actors/supervision';
import { createActorSystem } from '#runtime/actors/system';
import type { ActorSystem } from '#runtime/actors/types';
import { noRoles } from '#runtime/jobs/no-roles';
import { Background } from '#runtime/load/background';
import type { PeerCounts } from '#runtime/peers/peer-counts';
import { runProjector } from '#runtime/records/projector';
import type { Records } from '#runtime/records/records';
import { Bans } from '../admin/actions/bans.ts';
import { hasRole, type Role } from '../config/roles.ts';
import type { NodeConfig } from '../config/schema.ts';
import type { Foundation } from './foundation.ts';
import { type Space, watchSpace } from './free-space.ts';
import { countFailures, watchActors, watchHome, watchLoad } from './gauges.ts';
import { openLoop } from './loop.ts';
import { readPassword } from './password.ts';
import { openPresence } from './presence.ts';
import { projectInTurn } from './project.ts';
import { DRAIN_LIMIT_MS, type StartContext } from './start-context.ts';
import { spawnTree, type TopActors } from './tree.ts';
import { openWires } from './wires.ts';

/** The part of a node that works on uploads and columns. */
export interface Work {
  readonly records: Records;
  readonly background: Background;
  /** The room for pieces. */
  readonly space: (signal?: AbortSignal) => Promise<Space>;
  /** What is exchanged with each other SP. */
  readonly peerCounts: PeerCounts;
  /** Connection to the peers plane, where this node uses it. */
  readonly peersLink?: NatsConnection | undefined;
  /** SPs that operators have banned. */
  readonly bans: Bans;
  readonly system: ActorSystem;
  readonly actors: TopActors;
}

/** Opens the wires to other SPs and the SQL DB, and spawns the actors. @throws as `startNode` */
export async function openWork(node: StartContext, foundation: Foundation): Promise<Work> {
  const { name, config, lifecycle, metrics, log } = node;
  const { keys, journal, ownJournal, chain, homeLink, home, leases } = foundation;
  const wires = await openWires({ ...node, keys, chain, home: homeLink, leases });
  const records = await lifecycle.open(
    'records',
    () => openRecords(node),
    (it) => it.close(),
  );
  await openLoop(node, 'projector', (signal) => {
    const projector = { journal, records, log, signal };
    if (config.records.adapter === 'sqlite') return runProjector(projector);
    return projectInTurn(projector, hasRole(config.roles, 'keeper') ? home.roles : noRoles);
  });
  const background = await lifecycle.open(
    'background',
    () => new Background(config.limits.concurrentJobs),
    (it) => it.close(),
  );
  const system = await lifecycle.open(
    'actors',
    () => createActorSystem({ name, supervision: SUPERVISION, watch: countFailures(metrics), log }),
    (it) => it.stop(),
    DRAIN_LIMIT_MS,
  );
  const approving = approves(config) ? await openPresence(node, home, 'approvers') : undefined;
  const space = watchSpace(homeLink, config.dataDir);
  const bans = new Bans(journal.ledger, log);
  await openLoop(node, 'bans', (signal) => bans.follow(signal));
  const freeBytes = async (signal: AbortSignal) => (await space(signal)).freeBytes;
  const actors = spawnTree(system, {
    config,
    keys,
    chain,
    journal: ownJournal,
    records,
    home,
    wires,
    approving: () => approving?.count() ?? 1,
    freeBytes,
    background,
    isBanned: (spId) => bans.isBanned(spId),
    metrics,
    traces: node.traces,
  });
  watchActors(metrics, system);
  watchLoad(metrics, background);
  watchHome(metrics, { home, chain, freeBytes });
  await openLoop(node, 'keeper of the streams', (signal) =>
    home.keepStreams({
      signal,
      onLost: (what) => {
        if (actors.caretaker && !actors.caretaker.tell({ type: 'lost', what }))
          log.warn({ what }, 'the caretaker is busy and will check in its next round');
      },
    }),
  );
  return {
    records,
    background,
    space,
    peerCounts: wires.counts,
    peersLink: wires.peersLink,
    bans,
    system,
    actors,
  };
}

/** Whether other SPs reach this node with asks, or over HTTP with the first piece of a column. */
function approves({ roles, peers }: NodeConfig): boolean {
  const has = (role: Role, wire: 'nats' | 'http') => hasRole(roles, role) && peers.wires.includes(wire);
  return has('receiver', 'nats') || has('gateway', 'http');
}

/** Loads the driver of the SQL DB that is configured, and no other. */
async function openRecords({ config, log }: StartContext): Promise<Records> {
  const { postgres } = config.records;
  if (config.records.adapter === 'sqlite' || !postgres) {
    const { sqliteRecords } = await import('#runtime/records/sqlite');
    return sqliteRecords(join(config.dataDir, 'records.sqlite'));
  }
  const password = await readPassword('the password of the SQL DB', postgres.password);
  const { postgresRecords } = await import('#runtime/records/postgres');
  return postgresRecords({ url: postgres.url, ...(password !== undefined && { password }), log });
}
