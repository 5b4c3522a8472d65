import { Terminal } from '#protocols/errors';
import { versionOnChain } from '#protocols/greenfield/content';
import type { GlobalVirtualGroup, Hex, ObjectInfo } from '#protocols/greenfield/types';
import { formatJobId, type JobId } from '#protocols/job/identity';
import { type PayloadPlan, planPayload } from '#protocols/payload/plan';
import type { Chain } from '#runtime/chain/chain';

/** A sealed version of an object: what its seven holders must store. */
export interface SealedContent {
  readonly job: JobId;
  readonly object: ObjectInfo;
  readonly gvg: GlobalVirtualGroup;
  readonly plan: PayloadPlan;
  /** The seven integrity hashes on chain, primary first: the only source of truth. */
  readonly checksums: readonly Hex[];
}

/**
 * Reads a version from the chain.
 * @throws Terminal `not-sealed` (50043) when it is not what readers get, or has no checksums; what the chain throws
 */
export async function sealedContent(
  job: JobId,
  chain: Pick<Chain, 'objectById' | 'storageParams'>,
  signal: AbortSignal,
): Promise<SealedContent> {
  const onChain = await chain.objectById(job.objectId, { signal });
  const version = versionOnChain(onChain, job.version);
  if (!onChain || version.kind !== 'sealed' || !version.gvg) throw notSealed(job, version.kind);
  const { object } = onChain;
  const { content, gvg } = version;
  const params = await chain.storageParams(content.announcedAt, { signal });
  const { payloadSize, checksums } = content;
  const plan = planPayload({ ...params, payloadSize, redundancy: object.redundancy });
  if (checksums.length !== plan.columnCount + 1) throw notSealed(job, 'without checksums');
  return { job, object, gvg, plan, checksums };
}

function notSealed(job: JobId, kind: string): Terminal {
  return new Terminal({
    code: 'not-sealed',
    message: `Object ${formatJobId(job)} is not sealed: ${kind}.`,
    gatewayCode: 50043,
  });
}
