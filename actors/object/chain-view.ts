import { throwIfAborted } from '../../protocols/errors.ts';
import type { JobContext } from '../../protocols/job/context.ts';
import { isFromUploadDone, JobState } from '../../protocols/job/states.ts';
import { segmentKey } from '../../protocols/payload/keys.ts';
import type { PrimaryPorts } from '../ports.ts';
import { isSealed } from '../seal-on-chain.ts';

/** What a recovered job finds outside of its journal. */
export type ChainView =
  | { readonly kind: 'open' }
  | { readonly kind: 'sealed'; readonly gvgId?: number }
  | { readonly kind: 'gone' }
  | { readonly kind: 'payload-lost'; readonly segmentIndex: number };

/**
 * Looks whether the chain has ended the job meanwhile, and whether the acknowledged segments are still there
 * with the journal's checksums (design §7).
 */
export async function lookAround(
  context: JobContext,
  ports: Pick<PrimaryPorts, 'chain' | 'pieces'>,
  signal: AbortSignal,
): Promise<ChainView> {
  const onChain = await ports.chain.objectById(context.id.objectId, { signal });
  if (!onChain || onChain.object.status === 'DISCONTINUED') return { kind: 'gone' };
  if (isSealed(onChain, context.id.version)) {
    return { kind: 'sealed', ...(onChain.gvg ? { gvgId: onChain.gvg.id } : {}) };
  }
  const needed = isFromUploadDone(context.state) && JobState[context.state] < JobState.REPLICATE_OBJECT_DONE;
  const checksums =
    needed || context.state === 'REPLICATE_OBJECT_ERROR' ? context.payload?.segmentChecksums : [];
  for (const [segmentIndex, checksum] of (checksums ?? []).entries()) {
    throwIfAborted(signal);
    const stored = await ports.pieces.stat(segmentKey(context.id, segmentIndex), { signal });
    if (stored?.checksum !== checksum) return { kind: 'payload-lost', segmentIndex };
  }
  return { kind: 'open' };
}
