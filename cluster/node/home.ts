import type { NatsConnection } from '@nats-io/nats-core';
import type { Directory, Durability, InspectPoint, JobFeed } from '../../runtime/home/home.ts';
import { natsDirectory } from '../../runtime/home/nats-directory.ts';
import { natsInspectPoint } from '../../runtime/home/nats-inspect-point.ts';
import { natsJobFeed } from '../../runtime/home/nats-job-feed.ts';
import type { JobQueue } from '../../runtime/jobs/job-queue.ts';
import { openJobQueue } from '../../runtime/jobs/nats-job-queue.ts';
import { openRoles } from '../../runtime/jobs/nats-roles.ts';
import type { Roles } from '../../runtime/jobs/roles.ts';
import type { Logger } from '../../runtime/telemetry/logger.ts';
import type { NodeConfig } from '../config/schema.ts';

/** What a node stands on within its SP (design §5, the home plane). */
export interface Home {
  readonly queue: JobQueue;
  readonly roles: Roles;
  readonly directory: Directory;
  readonly feed: JobFeed;
  readonly inspect: InspectPoint;
  readonly durability: Durability;
}

/** Opens the ports of the home plane over one connection, which stays its owner's. @throws as the ports */
export async function openHome(connection: NatsConnection, config: NodeConfig, log: Logger): Promise<Home> {
  const { replicas, syncAlways } = config.nats.home;
  const options = { connection, replicas, ackWaitMs: config.timing.ackWaitMs, log };
  return {
    queue: await openJobQueue(options),
    roles: await openRoles(options),
    directory: natsDirectory(connection),
    feed: natsJobFeed(connection),
    inspect: natsInspectPoint(connection),
    durability: replicas > 1 ? 'replicated' : syncAlways ? 'power-safe' : 'crash-safe',
  };
}
