import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted } from '#protocols/errors';
import type { JobId } from '#protocols/job/identity';
import type { StoredEvent } from '../journal.ts';
import { decodeEvent, encodeEvent, encodePurgeMark } from './event-message.ts';
import { type KnownJob, KnownJobs } from './known-jobs.ts';
import type { StreamStore } from './stream-store.ts';
import { eventSubject, eventsFilter } from './subjects.ts';

/** Number of events in the first request for a job's history, which is enough for many jobs. */
const FIRST_PROBE = 8;
/** Number of events in each further request. */
const PROBE = 24;
/** Interval of checking whether a message with an unknown outcome has been stored, ms. */
const LOOK_MS = 100;
/** How long a message may have an unknown outcome, ms. */
const PATIENCE_MS = 20_000;

/** The events of jobs in the stream `JOURNAL`, each on a subject of its own. */
export class EventLog {
  readonly #store: StreamStore;
  readonly #known = new KnownJobs();
  #writes = 0;

  constructor(store: StreamStore) {
    this.#store = store;
  }

  /** The part of the job's history that this process has in memory. */
  known(job: JobId): KnownJob | undefined {
    return this.#known.get(job);
  }

  /**
   * Reads all events of a job. Those in memory are used again if the last of them is still in the stream.
   * @throws Retryable `journal-unavailable`, also when the server does not yet have events that it has acknowledged
   */
  async read(job: JobId, signal?: AbortSignal): Promise<KnownJob> {
    const confirmedAt = performance.now();
    const known = this.#known.get(job);
    const size = known?.events.length ?? 0;
    const [last, ...first] = await Promise.all([
      size > 0 ? this.#store.get(eventSubject(job, size), signal) : undefined,
      ...this.#probe(job, size + 1, size > 0 ? 1 : FIRST_PROBE, signal),
    ]);
    if (known && size > 0 && last?.seq !== known.seq) {
      await this.#mustBeGone(known, signal);
      this.#known.forget(job);
      return await this.read(job, signal);
    }
    const events = known ? [...known.events] : [];
    let seq = known?.seq ?? 0;
    for (let found = first; ; found = await Promise.all(this.#probe(job, events.length + 1, PROBE, signal))) {
      throwIfAborted(signal);
      for (const one of found) {
        if (!one) {
          const read = { events, seq, confirmedAt };
          if (events.length > 0) this.#known.set(job, read);
          return read;
        }
        events.push(one.event);
        seq = one.seq;
      }
    }
  }

  /**
   * Writes an event unless its number is already in use.
   * @returns false when another event has the number
   */
  async write(stored: StoredEvent, before: KnownJob, signal?: AbortSignal): Promise<boolean> {
    const { job, n, writer } = stored;
    const confirmedAt = performance.now();
    const subject = eventSubject(job, n);
    const seq = await this.#create(subject, encodeEvent(stored), writer, signal);
    if (seq === undefined) return false;
    if (seq <= before.seq) {
      // not the stream that has the previous events
      await this.#store.delete(seq);
      throw behind();
    }
    this.#known.set(job, { events: [...before.events, stored], seq, confirmedAt });
    return true;
  }

  /** Deletes an event that was written after its job had been purged. */
  async undo({ job, n }: StoredEvent): Promise<void> {
    this.#known.forget(job);
    await this.#store.remove(eventSubject(job, n));
  }

  async has(job: JobId, n: number, signal?: AbortSignal): Promise<boolean> {
    return (await this.#store.get(eventSubject(job, n), signal)) !== undefined;
  }

  /**
   * Deletes all events of a job, from the first to number `last`. A mark after the last one prevents further events.
   * @returns false when there is a newer event
   */
  async purge(job: JobId, last: number, writer: string): Promise<boolean> {
    this.#known.forget(job);
    const subject = eventSubject(job, last + 1);
    const mark = encodePurgeMark(writer);
    if ((await this.#create(subject, mark, writer)) === undefined) {
      const there = await this.#store.get(subject);
      if (there && decodeEvent(subject, there.body)) return false;
    }
    for (let n = 1; n <= last + 1; n += 1) await this.#store.remove(eventSubject(job, n));
    return true;
  }

  /** Deletes the remains of an interrupted purge. */
  async clear(job: JobId): Promise<void> {
    await this.#store.purge(eventsFilter(job));
  }

  #probe(
    job: JobId,
    from: number,
    count: number,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly event: StoredEvent; readonly seq: number } | undefined>[] {
    return Array.from({ length: count }, async (_, i) => {
      const subject = eventSubject(job, from + i);
      const stored = await this.#store.get(subject, signal);
      const event = stored && decodeEvent(subject, stored.body);
      return event && { event, seq: stored.seq };
    });
  }

  /** Writes a message. @returns its sequence; undefined when the subject has another message */
  async #create(
    subject: string,
    body: string,
    writer: string,
    signal?: AbortSignal,
  ): Promise<number | undefined> {
    this.#writes += 1;
    // the same for all tries of this write and unique to it, since a job may begin again after a purge
    const id = `${writer}/${this.#writes}`;
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (;;) {
      const seq = await this.#store.create(subject, body, id, signal);
      if (seq !== undefined) return seq;
      const there = await this.#store.get(subject, signal);
      if (there) return there.body === body ? there.seq : undefined;
      // it is still being stored, was lost with the stream's leader, or has been purged in the meantime
      if (performance.now() > giveUpAt) throw behind();
      await sleep(LOOK_MS);
      throwIfAborted(signal);
    }
  }

  /** Distinguishes events that were purged from those that a server does not have yet, or no longer has. */
  async #mustBeGone(known: KnownJob, signal: AbortSignal | undefined): Promise<void> {
    if ((await this.#store.lastSequence(signal)) < known.seq) throw behind();
  }
}

function behind(): Retryable {
  return new Retryable({
    code: 'journal-unavailable',
    message: 'The nats-server does not have the events that it has acknowledged.',
    advice: 'If the stream JOURNAL was removed or restored from a backup, restart all nodes of the SP.',
  });
}
