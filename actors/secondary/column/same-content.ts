import {
  type Announcement,
  type Content,
  isSameAnnouncement,
  sameChecksums,
} from '#protocols/greenfield/content';
import type { Hex } from '#protocols/greenfield/types';
import type { ColumnRecord } from './record.ts';

/** Why a column of an announcement goes that is not the chain's any more. */
export const OTHER_CONTENT = 'other content was announced instead';

/**
 * The announcement that a column is received for.
 * @param offered the primary's word on the checksums of a delegated upload, of which the chain has none; may be empty
 */
export function announcementOf(content: Content, offered: readonly Hex[]): Announcement {
  const { announcedAt, payloadSize, checksums } = content;
  return { announcedAt, payloadSize, checksums: checksums.length > 0 ? checksums : offered };
}

/**
 * True when what a record tells of is a column of this announcement, as far as both are known. What is held is known
 * by its checksums: the same bytes may have been announced again, and sealed with the receipt of before.
 */
export function isColumnOf({ announcement, held }: ColumnRecord, wanted: Announcement): boolean {
  if (held && wanted.checksums.length > 0) return sameChecksums(held.checksums, wanted.checksums);
  return !announcement || isSameAnnouncement(announcement, wanted);
}
