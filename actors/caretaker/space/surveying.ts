import { parsePieceKey } from '#protocols/payload/keys';
import type { ListedPiece, PieceStore } from '#runtime/pieces/piece-store';
import type { Logger } from '#runtime/telemetry/logger';
import { Notes, type StoredUnit, unitName } from '../../ledger/notes.ts';
import { type JudgeOptions, judge } from './judge.ts';
import { plus, type Survey, Surveys } from './survey.ts';

export interface SurveyingOptions extends JudgeOptions {
  readonly timing: JudgeOptions['timing'] & { readonly surveyEveryMs: number };
}

/** Pieces checked in one round. */
const PIECES_PER_ROUND = 10_000;

/**
 * Continues the survey of the PieceStore with the next part, or begins a new one when it is time: counts needed data,
 * and records notes about unneeded data.
 */
export async function continueSurvey(
  options: SurveyingOptions,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { journal, pieces, timing } = options;
  const notes = new Notes(journal.ledger);
  const surveys = new Surveys(journal.ledger);
  let survey = await surveys.current(timing.surveyEveryMs);
  if (!survey) return;
  const { units, position, ended } = await nextUnits(pieces, survey.position, signal);
  for (const unit of units) survey = await counted(survey, unit);
  await surveys.put({ ...survey, position, ...(ended && { finishedAt: Date.now() }) });

  async function counted(before: Survey, unit: StoredUnit): Promise<Survey> {
    const { retention } = await judge(unit, options, log, signal);
    if (retention === 'unknown') return { ...before, unknown: plus(before.unknown, unit.bytes) };
    const isUnneeded = retention === 'recorded' ? (await notes.get(unit)) !== undefined : !retention.keep;
    if (!isUnneeded) return { ...before, needed: plus(before.needed, unit.bytes) };
    if (retention !== 'recorded' && !retention.keep) await notes.see(unit, retention);
    return { ...before, unneeded: plus(before.unneeded, unit.bytes) };
  }
}

/** The payloads and columns of the next pieces. */
async function nextUnits(pieces: PieceStore, after: number, signal: AbortSignal) {
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
