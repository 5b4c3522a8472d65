import { toSealionError } from '#protocols/errors';
import { parsePieceKey } from '#protocols/payload/keys';
import type { Ref } from '#runtime/actors/types';
import type { ListedPiece } from '#runtime/pieces/piece-store';
import type { Logger } from '#runtime/telemetry/logger';
import { goesAt, type Note, Notes, type StoredUnit, unitName } from '../ledger/notes.ts';
import type { DiscardSegments } from '../primary/objects.ts';
import type { ReceiversMessage } from '../secondary/receivers.ts';
import { requireFreshChain } from './fresh-chain.ts';
import type { Round } from './round.ts';
import { type JudgeOptions, judge } from './space/judge.ts';
import { plus, type Survey, Surveys } from './space/survey.ts';

export interface SpaceRoundOptions extends JudgeOptions {
  readonly objects: Ref<DiscardSegments>;
  readonly receivers: Ref<ReceiversMessage>;
  readonly timing: JudgeOptions['timing'] & {
    readonly spaceEveryMs: number;
    readonly surveyEveryMs: number;
    readonly readersGraceMs: number;
  };
}

/** Pieces checked in one round. */
const PIECES_PER_ROUND = 10_000;

/**
 * Frees the space of data that is no longer needed: goes through the PieceStore, a part in each round, reads each
 * object from the chain by its id, and notes what is not needed. A listing that misses something does no harm here.
 * A later round judges each note again and then asks the owner to delete: `objects` for the primary's segments,
 * `receivers` for columns without a record.
 */
export function spaceRound(options: SpaceRoundOptions, log: Logger): Round {
  const { journal, pieces, chain, objects, receivers, timing } = options;
  const notes = new Notes(journal.ledger);
  const surveys = new Surveys(journal.ledger);
  return {
    doing: 'looking for stored data that is no longer needed',
    everyMs: timing.spaceEveryMs,
    async run(signal) {
      await requireFreshChain(chain, timing.chainLagMs, signal);
      let deleted = 0;
      for await (const note of notes.all(signal)) {
        if (await deleteIfDue(note, signal)) deleted += 1;
      }
      await survey(signal);
      return deleted === 0 ? undefined : `deleted ${deleted} payloads and columns that are no longer needed`;
    },
  };

  /** @returns whether what the note stands for was deleted */
  async function deleteIfDue(note: Note, signal: AbortSignal): Promise<boolean> {
    const { retention, revision } = await judge(note, options, log, signal);
    if (retention === 'recorded') return false;
    if (retention === 'unknown' || retention.keep) {
      await notes.clear(note);
      return false;
    }
    const { note: confirmed } = await notes.see(note, retention);
    if (Date.now() < goesAt(confirmed, timing.readersGraceMs)) return false;
    try {
      return await discard(confirmed, revision, signal);
    } catch (thrown) {
      const error = toSealionError(thrown);
      if (error.kind === 'cancelled') throw error;
      log.warn({ error, unit: unitName(note) }, 'could not delete data that is no longer needed');
      return false;
    }
  }

  async function discard(note: Note, revision: number, signal: AbortSignal): Promise<boolean> {
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

  async function survey(signal: AbortSignal): Promise<void> {
    let current = await surveys.current(timing.surveyEveryMs);
    if (!current) return;
    const { units, position, ended } = await nextUnits(current.position, signal);
    for (const unit of units) current = await count(current, unit, signal);
    await surveys.put({ ...current, position, ...(ended && { finishedAt: Date.now() }) });
  }

  async function nextUnits(after: number, signal: AbortSignal) {
    const units = new Map<string, StoredUnit>();
    let position = after;
    let seen = 0;
    for await (const piece of pieces.list({ after, signal })) {
      const unit = unitOf(piece);
      if (unit) units.set(unitName(unit), joined(units.get(unitName(unit)), unit));
      position = piece.position;
      seen += 1;
      if (seen === PIECES_PER_ROUND) return { units: units.values(), position, ended: false };
    }
    return { units: units.values(), position, ended: true };
  }

  async function count(survey: Survey, unit: StoredUnit, signal: AbortSignal): Promise<Survey> {
    const { retention } = await judge(unit, options, log, signal);
    if (retention === 'unknown') return { ...survey, unknown: plus(survey.unknown, unit.bytes) };
    const isUnneeded = retention === 'recorded' ? (await notes.get(unit)) !== undefined : !retention.keep;
    if (!isUnneeded) return { ...survey, needed: plus(survey.needed, unit.bytes) };
    if (retention !== 'recorded' && !retention.keep) await notes.see(unit, retention);
    return { ...survey, unneeded: plus(survey.unneeded, unit.bytes) };
  }
}

/** Undefined for a name that is not one of ours. */
function unitOf({ key, size, storedAt }: ListedPiece): StoredUnit | undefined {
  const name = parsePieceKey(key);
  if (!name) return undefined;
  const { job, redundancyIndex, segmentIndex } = name;
  return {
    job,
    ...(redundancyIndex !== undefined && { redundancyIndex }),
    segments: [segmentIndex],
    bytes: size,
    storedAt,
  };
}

function joined(earlier: StoredUnit | undefined, unit: StoredUnit): StoredUnit {
  if (!earlier) return unit;
  return {
    ...unit,
    segments: [...earlier.segments, ...unit.segments],
    bytes: earlier.bytes + unit.bytes,
    storedAt: Math.max(earlier.storedAt, unit.storedAt),
  };
}
