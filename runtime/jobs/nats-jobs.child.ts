import { formatJobId } from '#protocols/job/identity';
import { connectNats } from '../nats/connect.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { LeaseBook } from './lease-book.ts';
import { openJobQueue } from './nats-job-queue.ts';
import { openRoles } from './nats-roles.ts';
import { takeBackLeases } from './take-back.ts';

/** A node of its own for the tests: takes a job or a role, tells it, and tells when it has lost it. */
const [url = '', ackWaitMs = '', role, folder] = process.argv.slice(2);
const connection = await connectNats({ url, name: 'child', log: silentLogger });
const log = silentLogger;
const notes = folder ? await LeaseBook.open({ directory: folder, log }) : undefined;
if (notes) await takeBackLeases(notes, { connection, log });
const options = { connection, ackWaitMs: Number(ackWaitMs), notes, log };
const { signal } = new AbortController();

function taken(what: string, held: AbortSignal): void {
  held.addEventListener('abort', () => process.send?.(`lost: ${held.reason.code}`));
  process.send?.(what);
}

if (role) {
  const holding = await (await openRoles(options)).hold(role, { signal });
  taken(holding.role, holding.signal);
} else {
  for await (const lease of (await openJobQueue(options)).leases({ limit: 1, signal })) {
    taken(formatJobId(lease.job), lease.signal);
  }
}
