import { toSealionError } from '#protocols/errors';
import type { Ref } from '#runtime/actors/types';
import type { Logger } from '#runtime/telemetry/logger';
import { goesAt, type Note, Notes, unitName } from '../../ledger/notes.ts';
import type { DiscardSegments } from '../../primary/objects.ts';
import type { ReceiversMessage } from '../../secondary/receivers.ts';
import { type JudgeOptions, judge } from './judge.ts';

export interface DeletionOptions extends JudgeOptions {
  readonly objects: Ref<DiscardSegments>;
  readonly receivers: Ref<ReceiversMessage>;
  readonly timing: JudgeOptions['timing'] & { readonly readersGraceMs: number };
}

/**
 * Judges all notes of earlier rounds again, and asks the owners to delete data that is still unneeded and due:
 * `objects` for the primary's segments, `receivers` for columns without a record.
 * @returns the number of payloads and columns deleted
 */
export async function deleteNoted(
  options: DeletionOptions,
  log: Logger,
  signal: AbortSignal,
): Promise<number> {
  const notes = new Notes(options.journal.ledger);
  let deleted = 0;
  for await (const note of notes.all(signal)) {
    if (await deleteIfDue(note)) deleted += 1;
  }
  return deleted;

  /** @returns whether the data of the note was deleted */
  async function deleteIfDue(note: Note): Promise<boolean> {
    const { retention, revision } = await judge(note, options, log, signal);
    if (retention === 'recorded') return false;
    if (retention === 'unknown' || retention.keep) {
      await notes.clear(note);
      return false;
    }
    const { note: confirmed } = await notes.see(note, retention);
    if (Date.now() < goesAt(confirmed, options.timing.readersGraceMs)) return false;
    try {
      return await discard(confirmed, revision);
    } catch (thrown) {
      const error = toSealionError(thrown);
      if (error.kind === 'cancelled') throw error;
      log.warn({ error, unit: unitName(note) }, 'could not delete data that is no longer needed');
      return false;
    }
  }

  async function discard(note: Note, revision: number): Promise<boolean> {
    const { objects, receivers } = options;
    const { job, redundancyIndex, segments, because } = note;
    if (redundancyIndex === undefined) {
      return objects.ask<boolean>((reply) => ({ type: 'discard-segments', note, revision, reply }), {
        signal,
      });
    }
    const column = { job, redundancyIndex };
    const gone = await receivers.ask<boolean>(
      (reply) => ({ type: 'discard-pieces', column, segments, because, reply }),
      { signal },
    );
    if (gone) await notes.clear(note);
    return gone;
  }
}
