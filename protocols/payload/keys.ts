import type { JobId } from '../job/identity.ts';

/** What a key of the PieceStore names: a segment of the primary, or a secondary's piece of one. */
export interface PieceName {
  readonly job: JobId;
  readonly segmentIndex: number;
  /** Absent for a segment of the primary. */
  readonly redundancyIndex?: number;
}

/** Key of a segment on the primary: `4711+s0`; above version 0 `4711+v2+s0`. */
export function segmentKey(job: JobId, segmentIndex: number): string {
  return `${jobKeyPrefix(job)}${segmentIndex}`;
}

/** Key of a secondary's piece, EC or replica: `4711+s0+p3`; above version 0 `4711+v2+s0+p3`. */
export function pieceKey(job: JobId, segmentIndex: number, redundancyIndex: number): string {
  return `${segmentKey(job, segmentIndex)}+p${redundancyIndex}`;
}

/** What all keys of a job begin with, and no key of another job or version. */
export function jobKeyPrefix(job: JobId): string {
  return job.version === 0 ? `${job.objectId}+s` : `${job.objectId}+v${job.version}+s`;
}

const FORM =
  /^(?<object>[1-9][0-9]{0,77})(?:\+v(?<version>[1-9][0-9]{0,8}))?\+s(?<segment>0|[1-9][0-9]{0,14})(?:\+p(?<piece>0|[1-9][0-9]{0,2}))?$/;

/**
 * Reads what `segmentKey` or `pieceKey` wrote, and nothing else: one name has one key.
 * @returns undefined for any other text, which then is not ours to touch
 */
export function parsePieceKey(key: string): PieceName | undefined {
  const parts = FORM.exec(key)?.groups;
  if (!parts?.object) return undefined;
  const name = {
    job: { objectId: parts.object, version: Number(parts.version ?? 0) },
    segmentIndex: Number(parts.segment),
  };
  return parts.piece === undefined ? name : { ...name, redundancyIndex: Number(parts.piece) };
}
