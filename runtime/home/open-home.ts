import type { NatsConnection } from '@nats-io/nats-core';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { LeaseBook } from '../jobs/lease-book.ts';
import { type LeaseLosses, LostLeases } from '../jobs/lost-leases.ts';
import { openJobQueue } from '../jobs/nats-job-queue.ts';
import { openRoles } from '../jobs/nats-roles.ts';
import type { Roles } from '../jobs/roles.ts';
import { takeBackLeases } from '../jobs/take-back.ts';
import { ACK_WAIT_MS } from '../jobs/work-queue.ts';
import { type KeepOptions, type KeptStream, keepStreams } from '../nats/keep-streams.ts';
import { checkSharedServer } from '../nats/shared-server.ts';
import { openBucket } from '../pieces/bucket.ts';
import { openNatsPieceStore } from '../pieces/nats-piece-store.ts';
import type { PieceStore } from '../pieces/piece-store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { noSizes, type Sizes } from '../telemetry/sizes.ts';
import type { Calls } from './calls.ts';
import { assessDurability } from './durability.ts';
import type { Directory, Durability, InspectPoint, JobFeed, RollCall } from './home.ts';
import { natsCalls } from './nats-calls.ts';
import { natsDirectory } from './nats-directory.ts';
import { natsInspectPoint } from './nats-inspect-point.ts';
import { natsJobFeed } from './nats-job-feed.ts';
import { natsRollCall } from './nats-roll-call.ts';
import { joinPresent, type Presence } from './presence.ts';
import { directoryWithoutSilent } from './silent-owners.ts';
import { type Succession, succeed, succeedingDirectory } from './succession.ts';

export interface HomeOptions {
  /** Of the home plane; it stays the caller's. */
  readonly connection: NatsConnection;
  /** A second one of the home plane, for payload that is read; it stays the caller's. The first one by default. */
  readonly readConnection?: NatsConnection;
  /** Bytes of payload that all readers together hold; see `PieceStoreOptions`. */
  readonly readMemory?: number;
  /** Name of this node, for example `sp-1@node-a`; it becomes the newest node of the SP. */
  readonly node: string;
  /** Identity of its journal, which it alone has open; absent where the nodes of the SP share one. */
  readonly journal?: string;
  /** Name of the object store; `pieces` by default. */
  readonly bucket?: string;
  /** Number of replicas of every stream; 1 by default. */
  readonly replicas?: number;
  /** The operator states that the servers sync before they acknowledge. */
  readonly syncAlways?: boolean;
  /** Others have accounts on the servers, which must therefore keep accounts apart. */
  readonly shared?: boolean;
  /** ms; see `WorkQueueOptions`. */
  readonly ackWaitMs?: number;
  /** The leases of this node; what its last process held is given back. */
  readonly leases?: LeaseBook;
  readonly log: Logger;
  /** Shown the sizes of what is bounded. */
  readonly sizes?: Sizes;
}

/** Everything that a node has on the home plane (ARCHITECTURE.md#the-two-nats-planes). */
export interface Home {
  readonly pieces: PieceStore;
  readonly queue: JobQueue;
  readonly roles: Roles;
  /** The leases that this process has lost; undefined when it has lost none. */
  readonly leaseLosses: () => LeaseLosses | undefined;
  readonly directory: Directory;
  readonly feed: JobFeed;
  readonly inspect: InspectPoint;
  readonly rollCall: RollCall;
  readonly calls: Calls;
  /** Counts the nodes that do the same as this one; see `joinPresent`. */
  presence(what: string, node: string): Promise<Presence>;
  /** Absent where the nodes of the SP share a journal: that one fences them. */
  readonly succession?: Succession;
  /** What an acknowledgement is worth, and why, in words for operators. */
  readonly durability: Durability;
  readonly durabilityReason: string;
  /** Recreates streams lost while the node is running, until the signal fires. */
  keepStreams(options: KeepHome): Promise<void>;
}

export interface KeepHome extends Pick<KeepOptions, 'signal'> {
  /** Called when the entries of the work queue or all stored pieces were lost; must not throw. */
  onLost?(what: 'jobs' | 'pieces'): void;
}

/**
 * Creates missing streams and the bucket, updates the settings of existing ones, and determines the durability of
 * an acknowledgement.
 * @throws Terminal `nats-server-unsafe`, `sync-unsupported`, `bucket-unfit`, `stream-unfit`, `bad-ack-wait`,
 * `nats-refused`, `jetstream-disabled`; Retryable `nats-unavailable`, `piece-store-unavailable`
 */
export async function openHome(options: HomeOptions): Promise<Home> {
  const { connection, bucket = 'pieces', replicas = 1, syncAlways = false, sizes = noSizes, log } = options;
  const serverVersion = connection.info?.version ?? '';
  if (options.shared) checkSharedServer(serverVersion);
  const { level, because } = assessDurability({ serverVersion, replicas, syncAlways });
  const lost = new LostLeases();
  const standing = {
    connection,
    replicas,
    notes: options.leases,
    log,
    ...(options.ackWaitMs !== undefined && { ackWaitMs: options.ackWaitMs }),
  };
  const workQueue = { ...standing, onLost: () => lost.count('jobs') };
  const rolesQueue = { ...standing, onLost: () => lost.count('roles') };
  const { node, journal, ackWaitMs = ACK_WAIT_MS } = options;
  const succession =
    journal === undefined
      ? undefined
      : await succeed({ connection, node, journal, replicas, freshMs: ackWaitMs / 3 });
  const directory = natsDirectory(connection, log);
  const store = { connection, bucket, replicas, log };
  const { readConnection, readMemory } = options;
  const reads = {
    ...(readConnection !== undefined && { readConnection }),
    ...(readMemory !== undefined && { readMemory }),
  };
  const kept: readonly KeptStream[] = [
    ...(succession ? [keptNodes(succession)] : []),
    {
      name: 'JOBS',
      loss: 'the caretaker queues all open jobs again.',
      create: () => openJobQueue(workQueue),
    },
    { name: 'ROLES', loss: 'roles are assigned again.', create: () => openRoles(rolesQueue) },
    {
      name: `OBJ_${bucket}`,
      loss: 'all stored pieces are gone. Unsealed uploads end as lost and can be repeated; sealed objects are repaired from other providers.',
      create: () => openBucket(store),
    },
  ];
  if (options.leases) await takeBackLeases(options.leases, options);
  const home: Home = {
    pieces: await openNatsPieceStore({ ...store, ...reads, sizes }),
    queue: await openJobQueue({ ...workQueue, sizes, freesLeases: succession?.continues ?? false }),
    roles: await openRoles(rolesQueue),
    leaseLosses: () => lost.losses,
    directory: succession
      ? succeedingDirectory(directory, succession)
      : directoryWithoutSilent(directory, ackWaitMs),
    ...(succession && { succession }),
    feed: natsJobFeed(connection, log),
    inspect: natsInspectPoint(connection, log),
    rollCall: natsRollCall(connection, log),
    calls: natsCalls(connection, log),
    presence: (what, name) => joinPresent({ connection, what, node: name }),
    durability: level,
    durabilityReason: because,
    keepStreams: ({ signal, onLost }) =>
      keepStreams(kept, {
        connection,
        log,
        signal,
        onLost(stream) {
          if (stream === 'JOBS') onLost?.('jobs');
          if (stream === `OBJ_${bucket}`) onLost?.('pieces');
        },
      }),
  };
  log.info({ durability: level, because, serverVersion }, 'durability of an acknowledgement');
  return home;
}

function keptNodes(succession: Succession): KeptStream {
  return {
    name: 'NODES',
    loss: 'this node registers again.',
    create: () => succession.restore(),
    // an older node must learn that it is superseded; the next write to the journal reports it
    onCheck: () => succession.check().catch(() => undefined),
  };
}
