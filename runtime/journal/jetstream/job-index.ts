import { throwIfAborted } from '#protocols/errors';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { StoredEvent } from '../journal.ts';
import { standingAfter, standingOf } from './known-jobs.ts';
import type { StreamStore } from './stream-store.ts';
import {
  ALL_ENDED,
  ALL_OPEN,
  endedFilter,
  endedSubject,
  openSubject,
  parseEndedSubject,
  parseOpenSubject,
} from './subjects.ts';

/**
 * Index of open and ended jobs, in a separate stream. A new entry is written before the event that makes it true, and
 * an outdated one is deleted after the event. So the index lists every open job, even after a crash of a writer.
 */
export class JobIndex {
  readonly #store: StreamStore;

  constructor(store: StreamStore) {
    this.#store = store;
  }

  /** Writes the entry that an event needs. @param before the previous events @param id the same for a repeated write */
  async enter(stored: StoredEvent, before: readonly StoredEvent[], id: string): Promise<void> {
    const standing = standingAfter(stored);
    if (!standing) return;
    if (standing === 'ended')
      await this.#store.put(endedSubject(stored.job, stored.event.at), '', `${id}/ended`);
    else if (standingOf(before) !== 'open') await this.#store.put(openSubject(stored.job), '', `${id}/open`);
  }

  /** Writes the entry of a whole job. @param events all events of the job */
  async adopt(events: readonly StoredEvent[], id: string): Promise<void> {
    const last = events.findLast((stored) => standingAfter(stored) !== undefined);
    if (last) await this.enter(last, [], id);
  }

  /** Deletes the entry that an event has made outdated. Call it when the event is durable. */
  async leave(stored: StoredEvent, before: readonly StoredEvent[]): Promise<void> {
    const standing = standingAfter(stored);
    if (!standing || standing === standingOf(before)) return;
    if (standing === 'ended') await this.#store.remove(openSubject(stored.job));
    else await this.#removeEnds(before);
  }

  /** Deletes the entries of a job. @param events all events of the job */
  async forget(job: JobId, events: readonly StoredEvent[]): Promise<void> {
    await this.#store.remove(openSubject(job));
    await this.#removeEnds(events);
  }

  /** Deletes the entries of a job that has no events. */
  async clear(job: JobId): Promise<void> {
    await this.#store.remove(openSubject(job));
    await this.#store.purge(endedFilter(job));
  }

  async *open(signal?: AbortSignal): AsyncGenerator<JobId, void, undefined> {
    for (const subject of await this.#store.subjects(ALL_OPEN, signal)) {
      throwIfAborted(signal);
      yield parseOpenSubject(subject);
    }
  }

  async *ended(before: number, signal?: AbortSignal): AsyncGenerator<JobId, void, undefined> {
    const ends = new Map<string, { readonly job: JobId; readonly at: number }>();
    for (const subject of await this.#store.subjects(ALL_ENDED, signal)) {
      const end = parseEndedSubject(subject);
      const key = formatJobId(end.job);
      if (end.at > (ends.get(key)?.at ?? -1)) ends.set(key, end);
    }
    for (const { job, at } of ends.values()) {
      throwIfAborted(signal);
      if (at < before) yield job;
    }
  }

  async #removeEnds(events: readonly StoredEvent[]): Promise<void> {
    for (const stored of events) {
      if (standingAfter(stored) === 'ended')
        await this.#store.remove(endedSubject(stored.job, stored.event.at));
    }
  }
}
