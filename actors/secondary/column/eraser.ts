import { oneShot } from '#runtime/actors/one-shot';
import type { Behaviour } from '#runtime/actors/types';
import { type ColumnId, type ColumnRecord, Columns } from '../../ledger/column-record.ts';
import type { SecondaryPorts } from '../ports.ts';

type Ports = Pick<SecondaryPorts, 'ledger' | 'pieces'>;

export interface EraserOptions {
  readonly record: ColumnRecord;
  readonly because: string;
  readonly ports: Ports;
}

/**
 * Deletes one column in the turn of its receiver, so that nobody receives it in the meantime. Does nothing if the
 * column has changed since the decision.
 */
export function eraser({ record, because, ports }: EraserOptions): Behaviour<never, undefined> {
  return oneShot('receiver', async (ctx, signal) => {
    ctx.say({ doing: `deleting the column: ${because}` });
    const columns = new Columns(ports);
    const current = await columns.get(record);
    const unchanged = current?.touchedAt === record.touchedAt && !current.held === !record.held;
    if (current && unchanged) await columns.discard(current, because, signal);
  });
}

export interface PieceEraserOptions {
  readonly column: ColumnId;
  /** Segments whose pieces were seen. */
  readonly segments: readonly number[];
  readonly because: string;
  readonly ports: Ports;
}

/**
 * Deletes pieces without a record, after writing a record with the reason; a column that has a record is left
 * alone.
 */
export function pieceEraser(options: PieceEraserOptions): Behaviour<never, undefined> {
  const { column, segments, because, ports } = options;
  return oneShot('receiver', async (ctx, signal) => {
    ctx.say({ doing: `deleting the pieces of a column: ${because}` });
    const columns = new Columns(ports);
    if (await columns.get(column)) return;
    const { job, redundancyIndex } = column;
    const segmentCount = Math.max(-1, ...segments) + 1;
    await columns.discard(
      { job, redundancyIndex, from: 0, segmentCount, touchedAt: Date.now() },
      because,
      signal,
    );
  });
}
