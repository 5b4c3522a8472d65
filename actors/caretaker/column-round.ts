import type { Ref } from '#runtime/actors/types';
import type { Chain } from '#runtime/chain/chain';
import type { Journal } from '#runtime/journal/journal';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { type ColumnRecord, Columns } from '../ledger/column-record.ts';
import { goesAt, Notes } from '../ledger/notes.ts';
import { type Retention, retentionOf } from '../secondary/column/retention.ts';
import type { ReceiversMessage } from '../secondary/receivers.ts';
import { objectForSure, requireFreshChain } from './fresh-chain.ts';
import type { Round } from './round.ts';

export interface ColumnRoundOptions {
  readonly spId: number;
  readonly journal: Pick<Journal, 'ledger'>;
  readonly pieces: PieceStore;
  readonly chain: Chain;
  readonly receivers: Ref<ReceiversMessage>;
  readonly timing: {
    readonly columnsEveryMs: number;
    readonly columnGraceMs: number;
    readonly columnAbandonedAfterMs: number;
    readonly chainLagMs: number;
    readonly readersGraceMs: number;
  };
}

/**
 * Asks the receivers to delete the columns that are no longer needed (`retentionOf`). What one round finds is deleted
 * only when the next one finds it too: a single wrong answer of a chain node must not cost a signed column.
 */
export function columnRound(options: ColumnRoundOptions): Round {
  const { spId, chain, receivers, timing } = options;
  const columns = new Columns({ ledger: options.journal.ledger, pieces: options.pieces });
  const notes = new Notes(options.journal.ledger);
  return {
    doing: 'looking for columns that are no longer needed',
    everyMs: timing.columnsEveryMs,
    async run(signal) {
      await requireFreshChain(chain, timing.chainLagMs, signal);
      let deleted = 0;
      for await (const record of columns.all(signal)) {
        const retention = await retentionOfColumn(record, signal);
        if (retention.keep) await notes.clear(record);
        else if (await isDue(record, retention))
          deleted += (await discard(record, retention.because, signal)) ? 1 : 0;
      }
      return deleted === 0 ? undefined : `deleted ${deleted} columns that are no longer needed`;
    },
  };

  async function retentionOfColumn(record: ColumnRecord, signal: AbortSignal): Promise<Retention> {
    const now = Date.now();
    const { job, touchedAt, discarding } = record;
    if (discarding) return retentionOf(record, undefined, { spId, now, abandonedAfterMs: 0 });
    if (now - touchedAt < timing.columnGraceMs) return { keep: true };
    const { chainLagMs: lagMs, columnAbandonedAfterMs: abandonedAfterMs } = timing;
    const answer = await objectForSure(job.objectId, touchedAt, { chain, lagMs, signal });
    return answer ? retentionOf(record, answer.onChain, { spId, now, abandonedAfterMs }) : { keep: true };
  }

  /** A deletion that has started is finished at once; otherwise an earlier round must have found the same. */
  async function isDue(
    record: ColumnRecord,
    retention: Extract<Retention, { keep: false }>,
  ): Promise<boolean> {
    if (record.discarding) return true;
    const unit = { ...record, segments: [], bytes: 0, storedAt: record.touchedAt };
    const { note, isFirst } = await notes.see(unit, retention);
    return !isFirst && Date.now() >= goesAt(note, timing.readersGraceMs);
  }

  async function discard(record: ColumnRecord, because: string, signal: AbortSignal): Promise<boolean> {
    const gone = await receivers.ask<boolean>(
      (reply) => ({ type: 'discard-column', record, because, reply }),
      { signal },
    );
    if (gone) await notes.clear(record);
    return gone;
  }
}
