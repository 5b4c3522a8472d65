import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { toSealionError } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import { Arrivals } from '../async/arrivals.ts';
import { natsError } from '../nats/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { JobAnnouncement, JobFeed } from './home.ts';

/** Announcements buffered for a slow watcher: the last ones, which give the current state. */
const WAITING = 1_000;

/**
 * Announcements on `events.job.<object_id>.<version>.<STATE>` (ARCHITECTURE.md#the-two-nats-planes). A missed one
 * is in the journal: they are dropped while the connection is down, and a slow watcher misses the older ones.
 */
export function natsJobFeed(connection: NatsConnection, log: Logger): JobFeed {
  return {
    announce(announcement) {
      const subject = `events.job.${formatJobId(announcement.job)}.${announcement.state}`;
      try {
        connection.publish(subject, JSON.stringify(announcement));
      } catch (thrown) {
        log.debug({ error: toSealionError(thrown), subject }, 'dropped an invalid announcement of a job');
      }
    },

    async *watch({ job, signal }) {
      if (signal.aborted) return;
      const subject = `events.job.${job ? formatJobId(job) : '*.*'}.*`;
      const waiting = new Arrivals<JobAnnouncement>(WAITING);
      const hear = (refused: Error | null, message: Msg) => {
        try {
          if (refused) throw refused;
          waiting.push(message.json());
        } catch (thrown) {
          log.error({ error: toSealionError(thrown), subject }, 'could not receive announcements of a job');
        }
      };
      const announcements = connection.subscribe(subject, { callback: hear });
      const stop = () => announcements.unsubscribe();
      signal.addEventListener('abort', stop, { once: true });
      void announcements.closed.then(() => waiting.end());
      try {
        await connection.flush();
        yield* waiting;
      } catch (error) {
        throw natsError(error, `listening to ${subject}`);
      } finally {
        signal.removeEventListener('abort', stop);
        stop();
      }
    },
  };
}
