import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import { Terminal, throwIfAborted } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import type { Journal, StoredEvent } from '../journal.ts';
import { encodeEvent } from './event-message.ts';
import { JobIndex } from './job-index.ts';
import { standingOf } from './known-jobs.ts';
import { JetStreamLedger } from './ledger.ts';
import { type JournalStreams, openStreams } from './open-streams.ts';
import { eventSubject } from './subjects.ts';
import { Turns } from './turns.ts';

const LIMITS = { atOnce: 256, waiting: 10_000 };
/** Number of concurrent writes. */
const WINDOW = 256;

/** Ledger key of the origin of the streams' content. */
const ORIGIN = 'journal/origin';

interface Origin {
  /** Identity of the journal that is moved here. */
  readonly journal: string;
  /** End of the move, unix ms; absent while it is incomplete. */
  readonly doneAt?: number;
}

/** Numbers of moved items. */
export interface Moved {
  readonly openJobs: number;
  readonly endedJobs: number;
  readonly events: number;
  readonly ledgerEntries: number;
}

export interface MoveOptions {
  /** The journal to move. It is not changed, and nobody else may have it open. */
  readonly from: Journal;
  /** Connection to the home plane. */
  readonly connection: NatsConnection;
  readonly replicas: number;
  readonly signal?: AbortSignal;
}

/**
 * Copies a journal with its ledger into the streams of the journal that the nodes of an SP share. The next call
 * continues an interrupted move.
 * @throws Terminal `journal-in-use` when the streams contain anything else; as `openJetStreamJournal`
 */
export async function moveJournal(options: MoveOptions): Promise<Moved> {
  const { from, connection, replicas, signal } = options;
  const streams = await openStreams(connection, replicas);
  const turns = new Turns(LIMITS);
  const ledger = new JetStreamLedger(streams.ledger, turns);
  await claim(streams, ledger, from.id);
  const [openJobs, endedJobs] = [new Set<string>(), new Set<string>()];
  let events = 0;
  const index = new JobIndex(streams.index);
  for (const list of [from.openJobs(signal && { signal }), from.endedJobs(Number.POSITIVE_INFINITY)]) {
    await eachAtOnce(list, async (job) => {
      throwIfAborted(signal);
      const history = await from.read(job);
      await index.adopt(history, randomUUID());
      for (const stored of history) await copy(streams, stored);
      (standingOf(history) === 'ended' ? endedJobs : openJobs).add(formatJobId(job));
      events += history.length;
    });
  }
  let ledgerEntries = 0;
  await eachAtOnce(from.ledger.entries('', signal && { signal }), async ([key, value]) => {
    await ledger.put(key, value);
    ledgerEntries += 1;
  });
  await ledger.put(ORIGIN, { journal: from.id, doneAt: Date.now() } satisfies Origin);
  return { openJobs: openJobs.size, endedJobs: endedJobs.size, events, ledgerEntries };
}

/** Checks that the streams contain nothing except the results of an earlier move of the same journal. */
async function claim(streams: JournalStreams, ledger: JetStreamLedger, journal: string): Promise<void> {
  const origin = await ledger.get<Origin>(ORIGIN);
  if (origin?.journal === journal && origin.doneAt === undefined) return;
  const written = await Promise.all([streams.events.lastSequence(), streams.ledger.lastSequence()]);
  if (origin || written.some((last) => last > 0)) {
    throw new Terminal({
      code: 'journal-in-use',
      message: origin?.doneAt
        ? `The streams of the journal hold one that was moved there on ${new Date(origin.doneAt).toISOString()}.`
        : 'The streams of the journal hold jobs already.',
      advice: 'Nothing was moved. Remove the streams JOURNAL, JOURNAL_INDEX and LEDGER if no node uses them.',
    });
  }
  await ledger.put(ORIGIN, { journal } satisfies Origin);
}

/** Copies one event. @throws Terminal `journal-in-use` when another event has its number */
async function copy({ events }: JournalStreams, stored: StoredEvent): Promise<void> {
  const subject = eventSubject(stored.job, stored.n);
  const body = encodeEvent(stored);
  if ((await events.create(subject, body, randomUUID())) !== undefined) return;
  if ((await events.get(subject))?.body === body) return;
  throw new Terminal({
    code: 'journal-in-use',
    message: `The stream JOURNAL has another event ${stored.n} of job ${formatJobId(stored.job)}.`,
    advice: 'Stop all nodes of the SP, and start again with empty streams.',
  });
}

async function eachAtOnce<T>(items: AsyncIterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  let batch: Promise<void>[] = [];
  for await (const item of items) {
    batch.push(work(item));
    if (batch.length < WINDOW) continue;
    await Promise.all(batch);
    batch = [];
  }
  await Promise.all(batch);
}
