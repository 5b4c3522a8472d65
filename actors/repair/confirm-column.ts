import { Terminal } from '#protocols/errors';
import type { Ledger } from '#runtime/journal/journal';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { Columns } from '../ledger/column-record.ts';
import type { RestorePiece } from './restorer.ts';

/**
 * Checks that our record of the column still expects exactly this piece before it is restored.
 * @throws Terminal `column-changed`
 */
export async function confirmColumn(
  { column, segmentIndex, restoration }: RestorePiece,
  ledger: Ledger,
  pieces: PieceStore,
): Promise<void> {
  const record = await new Columns({ ledger, pieces }).get(column);
  const wanted = !record?.discarding && record?.held?.pieceChecksums[segmentIndex];
  if (wanted === restoration.checksum) return;
  throw new Terminal({
    code: 'column-changed',
    message: `The column of ${restoration.key} has changed since its repair began.`,
  });
}
