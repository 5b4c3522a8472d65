import { Terminal } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import { segmentKey } from '#protocols/payload/keys';
import { oneShot } from '#runtime/actors/one-shot';
import type { Behaviour } from '#runtime/actors/types';
import { readJob } from '../../job-log.ts';
import { type Note, Notes } from '../../ledger/notes.ts';
import { SegmentRecords } from '../../ledger/segment-record.ts';
import type { PrimaryPorts } from '../ports.ts';

export interface SegmentEraserOptions {
  readonly note: Note;
  /** Number of events that the job had when the deletion was decided; 0 for a job that the journal does not know. */
  readonly revision: number;
  readonly ports: Pick<PrimaryPorts, 'journal' | 'pieces' | 'directory' | 'node'>;
}

/**
 * Deletes segments that are no longer needed. It runs in place of the object actor, so that nobody uploads or reads
 * them for the job in the meantime, and deletes nothing when the job has changed since. The reason is in the ledger
 * before the first segment is deleted.
 */
export function segmentEraser({ note, revision, ports }: SegmentEraserOptions): Behaviour<never, undefined> {
  return oneShot('object', async (ctx, signal) => {
    const { job, because, segments } = note;
    ctx.say({ doing: `deleting the segments: ${because}` });
    const { directory, journal, pieces, node } = ports;
    if (await directory.find(job, { signal })) throw inUse(note);
    const entry = await directory.own(job, () => ({ node, state: 'OBJECT_DISCONTINUED', since: Date.now() }));
    try {
      const notes = new Notes(journal.ledger);
      if (((await readJob(job, journal, signal))?.revision ?? 0) !== revision) throw inUse(note);
      await notes.beginDiscarding(note);
      for (const segment of segments) await pieces.delete(segmentKey(job, segment), { signal });
      await new SegmentRecords(journal.ledger).forget(job);
      await notes.clear(note);
      ctx.log.info({ job: formatJobId(job), segments: segments.length, because }, 'deleted segments');
    } finally {
      await entry.release();
    }
  });
}

function inUse({ job }: Note): Terminal {
  return new Terminal({
    code: 'segments-in-use',
    message: `The job of object ${formatJobId(job)} has changed, or another node works on it: its segments are kept.`,
  });
}
