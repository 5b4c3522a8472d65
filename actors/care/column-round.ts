import { Retryable } from '../../protocols/errors.ts';
import { formatJobId } from '../../protocols/job/identity.ts';
import type { Ref } from '../../runtime/actors/types.ts';
import type { Chain } from '../../runtime/chain/chain.ts';
import type { Journal } from '../../runtime/journal/journal.ts';
import type { PieceStore } from '../../runtime/pieces/piece-store.ts';
import { type Fate, fateOf } from '../column/fate.ts';
import { type ColumnRecord, Columns } from '../column/record.ts';
import type { ReceiversMessage } from '../receivers.ts';
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
  };
}

/**
 * Asks the receivers to delete the columns that are needed no more (`fateOf`). What one round finds is deleted
 * only when the next one finds it too: a single wrong answer of a chain node must not cost a signed column.
 */
export function columnRound(options: ColumnRoundOptions): Round {
  const { spId, chain, receivers, timing } = options;
  const columns = new Columns({ ledger: options.journal.ledger, pieces: options.pieces });
  let doomed: ReadonlySet<string> = new Set();
  return {
    doing: 'looking for columns that are needed no more',
    everyMs: timing.columnsEveryMs,
    async run(signal) {
      await requireFreshChain(signal);
      const stillDoomed = new Set<string>();
      let deleted = 0;
      for await (const record of columns.all(signal)) {
        const fate = await fateOfColumn(record, signal);
        if (fate.keep) continue;
        const name = `${formatJobId(record.job)}/${record.redundancyIndex}`;
        if (!record.discarding && !doomed.has(name)) stillDoomed.add(name);
        else if (await discard(record, fate.because, signal)) deleted += 1;
      }
      doomed = stillDoomed;
      return deleted === 0 ? undefined : `${deleted} columns that are needed no more are deleted`;
    },
  };

  async function fateOfColumn(record: ColumnRecord, signal: AbortSignal): Promise<Fate> {
    const now = Date.now();
    if (!record.discarding && now - record.touchedAt < timing.columnGraceMs) return { keep: true };
    const onChain = await chain.objectById(record.job.objectId, { signal });
    return fateOf(record, onChain, { spId, now, abandonedAfterMs: timing.columnAbandonedAfterMs });
  }

  function discard(record: ColumnRecord, because: string, signal: AbortSignal): Promise<boolean> {
    return receivers.ask<boolean>((reply) => ({ type: 'discard-column', record, because, reply }), {
      signal,
    });
  }

  async function requireFreshChain(signal: AbortSignal): Promise<void> {
    const behind = Date.now() - (await chain.latestBlock({ signal })).time;
    if (behind <= timing.chainLagMs) return;
    throw new Retryable({
      code: 'chain-lag',
      message: `The chain node is ${Math.round(behind / 1000)} s behind: nothing is deleted by its word.`,
      advice: 'Check the chain node.',
    });
  }
}
