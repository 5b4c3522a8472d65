import { versionOnChain } from '#protocols/greenfield/content';
import type { ObjectOnChain } from '#protocols/greenfield/types';
import type { ColumnRecord } from '../../ledger/column-record.ts';
import { isColumnOf, OTHER_CONTENT } from './same-content.ts';

/** Whether stored data is kept, or deleted for a reason. */
export type Retention =
  | { readonly keep: true }
  /** `forReaders`: downloads that started before may still be running. */
  | { readonly keep: false; readonly because: string; readonly forReaders: boolean };

const KEEP: Retention = { keep: true };

export interface RetentionOptions {
  readonly spId: number;
  /** Unix ms. */
  readonly now: number;
  /** Age in ms from which nobody waits for a column that was never completed: reject deadline + 24 h. */
  readonly abandonedAfterMs: number;
}

/**
 * Whether a secondary keeps a column (ARCHITECTURE.md#the-actor-tree). A column that was signed for is kept until
 * the chain says that it is not needed: the object is gone or discontinued, its version was replaced, or it was
 * sealed without us at this index. Only an unsigned column may be deleted by age.
 * @param onChain as an up-to-date node says; undefined when there is no such object
 */
export function retentionOf(
  record: ColumnRecord,
  onChain: ObjectOnChain | undefined,
  options: RetentionOptions,
): Retention {
  if (record.discarding) return go(record.discarding.because);
  const found = versionOnChain(onChain, record.job.version);
  switch (found.kind) {
    case 'gone':
      return go(found.because);
    case 'replaced':
      return go(`it was replaced by version ${found.by.version}`, true);
    case 'unannounced':
      return go('the update was cancelled');
    case 'sealed': {
      if (!isColumnOf(record, found.content)) return go('the object was sealed with other content');
      const sealedWithUs = found.gvg?.secondarySpIds[record.redundancyIndex] === options.spId;
      return !found.gvg || sealedWithUs ? KEEP : go('the object was sealed without us at this index');
    }
    case 'waiting':
      // For a delegated upload, only the seal shows whether we signed for its bytes.
      if (record.held && found.content.checksums.length === 0) return KEEP;
      if (!isColumnOf(record, found.content)) return go(OTHER_CONTENT);
  }
  const age = options.now - record.touchedAt;
  if (!record.held && age > options.abandonedAfterMs) return go('it was never completed');
  return KEEP;
}

function go(because: string, forReaders = false): Retention {
  return { keep: false, because, forReaders };
}
