import { setTimeout as sleep } from 'node:timers/promises';
import type { Chain } from '#runtime/chain/chain';
import type { Journal } from '#runtime/journal/journal';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { Logger } from '#runtime/telemetry/logger';
import { Columns } from '../../ledger/column-record.ts';
import type { StoredUnit } from '../../ledger/notes.ts';
import { type Retention, retentionOf } from '../../secondary/column/retention.ts';
import { objectForSure } from '../fresh-chain.ts';
import { readHistory } from '../read-history.ts';
import { segmentsRetention } from './segments-retention.ts';

export interface JudgeOptions {
  readonly spId: number;
  readonly journal: Journal;
  readonly pieces: PieceStore;
  readonly chain: Chain;
  readonly timing: {
    readonly spacePaceMs: number;
    readonly columnGraceMs: number;
    readonly columnAbandonedAfterMs: number;
    readonly chainLagMs: number;
  };
}

export interface Judgement {
  /** `recorded`: a column with a record, which the column round handles. */
  readonly retention: Retention | 'unknown' | 'recorded';
  /** Number of events of the job on which the judgement is based. */
  readonly revision: number;
}

/** Decides from journal and chain whether stored data is kept, at a bounded rate. */
export async function judge(
  unit: StoredUnit,
  { spId, journal, pieces, chain, timing }: JudgeOptions,
  log: Logger,
  signal: AbortSignal,
): Promise<Judgement> {
  const { job, redundancyIndex, segments, storedAt } = unit;
  const now = Date.now();
  const columns = new Columns({ ledger: journal.ledger, pieces });
  if (redundancyIndex !== undefined && (await columns.get({ job, redundancyIndex }))) {
    return { retention: 'recorded', revision: 0 };
  }
  // somebody may still be working on it
  if (now - storedAt < timing.columnGraceMs) return { retention: { keep: true }, revision: 0 };
  await sleep(timing.spacePaceMs, undefined, { signal });
  const context =
    redundancyIndex === undefined ? await readHistory(job, { journal, log, signal }) : undefined;
  const revision = context?.revision ?? 0;
  const lagMs = timing.chainLagMs;
  const answer = await objectForSure(job.objectId, storedAt, { chain, lagMs, signal });
  if (!answer) return { retention: 'unknown', revision };
  if (redundancyIndex === undefined) {
    return { retention: segmentsRetention(job.version, answer.onChain, context, now), revision };
  }
  const orphan = { job, redundancyIndex, from: 0, segmentCount: segments.length, touchedAt: storedAt };
  const abandonedAfterMs = timing.columnAbandonedAfterMs;
  return { retention: retentionOf(orphan, answer.onChain, { spId, now, abandonedAfterMs }), revision };
}
