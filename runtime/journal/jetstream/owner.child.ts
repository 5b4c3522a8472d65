import { setTimeout as sleep } from 'node:timers/promises';
import { formatJobId } from '#protocols/job/identity';
import type { Lease } from '../../jobs/job-queue.ts';
import { openJobQueue } from '../../jobs/nats-job-queue.ts';
import { connectNats } from '../../nats/connect.ts';
import { silentLogger as log } from '../../telemetry/logger.ts';
import { openJetStreamJournal } from './jetstream-journal.ts';

/** What an owner of a job tells the referee. Times are in ms of a clock that all processes of the machine share. */
export type Told = { readonly job: string; readonly delivery: number } & (
  | { readonly what: 'took' }
  /** Its lease allowed an effect at this time. */
  | { readonly what: 'acts'; readonly at: number }
  /** The journal has its event under this number. */
  | { readonly what: 'wrote'; readonly n: number }
  | { readonly what: 'stopped'; readonly code: string }
);

/** A node that works on jobs until it loses them: as long as its lease says so, it writes one event after the other. */
const [url = '', ackWaitMs = '', limit = ''] = process.argv.slice(2);
const PAUSE_MS = 10;

const connection = await connectNats({ url, name: 'owner', log });
const journal = await openJetStreamJournal({ connection });
const queue = await openJobQueue({ connection, ackWaitMs: Number(ackWaitMs), log });
const { signal } = new AbortController();
process.send?.('ready');
for await (const lease of queue.leases({ limit: Number(limit), signal })) void work(lease);

async function work(lease: Lease): Promise<void> {
  const { job, delivery } = lease;
  const tell = (told: object) => process.send?.({ job: formatJobId(job), delivery, ...told });
  tell({ what: 'took' });
  for (;;) {
    try {
      let { length: n } = await journal.read(job);
      for (;;) {
        // taken before the check, since the process may be suspended between the two
        const at = Number(process.hrtime.bigint() / 1_000n) / 1_000;
        lease.mustHold();
        tell({ what: 'acts', at });
        n += 1;
        await journal.append(job, n, { type: 'UploadStarted', at: 1, attempt: n, deadlineAt: 1 });
        tell({ what: 'wrote', n });
        await sleep(PAUSE_MS);
      }
    } catch (error) {
      const { code = String(error) } = error as { readonly code?: string };
      tell({ what: 'stopped', code });
      // What the owner before had under way has come in first.
      if (code !== 'journal-fenced' || lease.signal.aborted) return;
    }
  }
}
