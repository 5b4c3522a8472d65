import type { NatsConnection } from '@nats-io/nats-core';
import { throwIfAborted } from '../../protocols/errors.ts';
import { formatJobId } from '../../protocols/job/identity.ts';
import type { JobAnnouncement, JobFeed } from './home.ts';

/**
 * Announcements on `events.job.<object_id>.<version>.<STATE>` (design §5). Who misses one finds it in the journal:
 * a connection that is away drops them.
 */
export function natsJobFeed(connection: NatsConnection): JobFeed {
  return {
    announce(announcement) {
      if (connection.isClosed()) return;
      const subject = `events.job.${formatJobId(announcement.job)}.${announcement.state}`;
      connection.publish(subject, JSON.stringify(announcement));
    },

    async *watch({ job, signal }) {
      throwIfAborted(signal);
      const announcements = connection.subscribe(`events.job.${job ? formatJobId(job) : '*.*'}.*`);
      const stop = () => announcements.unsubscribe();
      signal.addEventListener('abort', stop, { once: true });
      try {
        await connection.flush();
        for await (const message of announcements) yield message.json<JobAnnouncement>();
      } finally {
        signal.removeEventListener('abort', stop);
        stop();
      }
    },
  };
}
