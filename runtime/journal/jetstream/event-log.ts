import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, throwIfAborted } from '#protocols/errors';
import type { JobId } from '#protocols/job/identity';
import type { StoredEvent } from '../journal.ts';
import { decodeEvent, encodeEvent, encodePurgeMark } from './event-message.ts';
import { type KnownJob, KnownJobs } from './known-jobs.ts';
import type { StreamStore } from './stream-store.ts';
import { eventSubject, eventsFilter } from './subjects.ts';

/** Events asked for at a time: most jobs have fewer than the second. */
const FIRST_PROBE = 8;
const PROBE = 24;
/** Between two looks at a message of which nobody knows yet whether it will be stored, and for how long, ms. */
const LOOK_MS = 100;
const PATIENCE_MS = 20_000;

/** The events of jobs as the stream has them, one subject each. */
export class EventLog {
  readonly #store: StreamStore;
  readonly #known = new KnownJobs();
  #writes = 0;

  constructor(store: StreamStore) {
    this.#store = store;
  }

  /** What this process knows of the job without asking. */
  known(job: JobId): KnownJob | undefined {
    return this.#known.get(job);
  }

  /**
   * All events of a job: those known before, if the last of them is still there, and whatever follows.
   * @throws Retryable `journal-unavailable` also when the server does not have yet what it has acknowledged
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
   * Writes an event where there is none.
   * @returns false when there is one already that is not the same
   */
  async write(stored: StoredEvent, before: KnownJob, signal?: AbortSignal): Promise<boolean> {
    const { job, n, writer } = stored;
    const confirmedAt = performance.now();
    const subject = eventSubject(job, n);
    const seq = await this.#create(subject, encodeEvent(stored), writer, signal);
    if (seq === undefined) return false;
    if (seq <= before.seq) {
      // another stream than the one that has the events before
      await this.#store.delete(seq);
      throw behind();
    }
    this.#known.set(job, { events: [...before.events, stored], seq, confirmedAt });
    return true;
  }

  /** Takes back an event that was written after its job was purged. */
  async undo({ job, n }: StoredEvent): Promise<void> {
    this.#known.forget(job);
    await this.#store.remove(eventSubject(job, n));
  }

  async has(job: JobId, n: number, signal?: AbortSignal): Promise<boolean> {
    return (await this.#store.get(eventSubject(job, n), signal)) !== undefined;
  }

  /**
   * Deletes all events of a job whose last one is number `last`, the first one first, under the cover of a mark.
   * @returns false when it has a newer one
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

  /** Deletes what an interrupted purge has left. */
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

  /** @returns the sequence of this very message; undefined when the subject has another one */
  async #create(
    subject: string,
    body: string,
    writer: string,
    signal?: AbortSignal,
  ): Promise<number | undefined> {
    this.#writes += 1;
    // the same for every try of this write, and for no other: a job may begin again after a purge
    const id = `${writer}/${this.#writes}`;
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (;;) {
      const seq = await this.#store.create(subject, body, id, signal);
      if (seq !== undefined) return seq;
      const there = await this.#store.get(subject, signal);
      if (there) return there.body === body ? there.seq : undefined;
      // it is on its way into the stream, or lost with the leader that had it, or was purged meanwhile
      if (performance.now() > giveUpAt) throw behind();
      await sleep(LOOK_MS);
      throwIfAborted(signal);
    }
  }

  /** Tells events that were purged from those that a server does not have yet, or never had. */
  async #mustBeGone(known: KnownJob, signal: AbortSignal | undefined): Promise<void> {
    if ((await this.#store.lastSequence(signal)) < known.seq) throw behind();
  }
}

function behind(): Retryable {
  return new Retryable({
    code: 'journal-unavailable',
    message: 'The nats-server does not have the events that it has acknowledged.',
    advice: 'If the stream JOURNAL was removed or put back from a copy, restart all nodes of the SP.',
  });
}
