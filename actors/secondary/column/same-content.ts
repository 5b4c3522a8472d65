import {
  type Announcement,
  type Content,
  isSameAnnouncement,
  sameChecksums,
} from '#protocols/greenfield/content';
import type { Hex } from '#protocols/greenfield/types';
import type { ColumnRecord } from '../../ledger/column-record.ts';

/** Why a column is deleted whose announcement is no longer the one on chain. */
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
 * True when the record is of a column of this announcement, as far as both are known. A completed column is
 * compared by checksums: the same bytes may have been announced again and sealed with the earlier receipt.
 */
export function isColumnOf({ announcement, held }: ColumnRecord, wanted: Announcement): boolean {
  if (held && wanted.checksums.length > 0) return sameChecksums(held.checksums, wanted.checksums);
  return !announcement || isSameAnnouncement(announcement, wanted);
}
