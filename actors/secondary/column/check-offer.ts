import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorFacts, Retryable, Terminal } from '#protocols/errors';
import { type Content, sameChecksums, versionOnChain } from '#protocols/greenfield/content';
import type { GlobalVirtualGroup, ObjectInfo } from '#protocols/greenfield/types';
import { type PayloadPlan, planPayload } from '#protocols/payload/plan';
import type { Age, AgeOptions } from '#runtime/chain/chain';
import type { ColumnOffer } from '#runtime/peers/peers';
import type { SecondaryPorts, SecondaryTiming } from '../ports.ts';

/** The chain's data about a valid offer. */
export interface Place {
  readonly gvg: GlobalVirtualGroup;
  readonly plan: PayloadPlan;
  /** The content that the object waits for. */
  readonly content: Content;
}

type Ports = Pick<SecondaryPorts, 'chain' | 'spId'> & {
  readonly timing: Pick<SecondaryTiming, 'chainLagMs' | 'chainPollMs'>;
};

/**
 * Checks an offer against the chain: the object waits for this content, the group exists in the bucket's family,
 * its primary is the sender and we are at that index, and sizes and checksums are the chain's. On wires with approvals,
 * the wire itself has checked ours. Waits for a chain node that is behind the primary's. Chain data may be some seconds
 * old, but an offer is refused only on the basis of current data.
 * @throws Terminal when the offer is wrong; Retryable `object-unknown` (50025), `group-unknown` (55001),
 * `chain-unavailable`
 */
export async function checkOffer(offer: ColumnOffer, ports: Ports, signal: AbortSignal): Promise<Place> {
  try {
    return await findPlace(offer, ports, { object: 'block', group: 'seconds', signal });
  } catch (error) {
    if (!(error instanceof Terminal)) throw error;
    return findPlace(offer, ports, { object: 'now', group: 'now', signal });
  }
}

/** Maximum age of the chain data that an offer is checked against. */
interface Asking {
  readonly object: Age;
  readonly group: Age;
  readonly signal: AbortSignal;
}

async function findPlace(offer: ColumnOffer, ports: Ports, asking: Asking): Promise<Place> {
  const { signal } = asking;
  const { object, content } = await untilKnown(
    { code: 'object-unknown', gatewayCode: 50025 },
    ports,
    { age: asking.object, signal },
    (options) => findContent(offer, ports, options),
  );
  const gvg = await untilKnown(
    { code: 'group-unknown', gatewayCode: 55001 },
    ports,
    { age: asking.group, signal },
    (options) => ports.chain.gvg(offer.gvgId, options),
  );
  await checkGroup(offer, gvg, ports, asking);
  const params = await ports.chain.storageParams(content.announcedAt, { signal });
  const plan = planPayload({ ...params, redundancy: object.redundancy, payloadSize: content.payloadSize });
  checkContent(offer, object, content, plan);
  return { gvg, plan, content };
}

/** Undefined while our chain node is behind the primary's. */
async function findContent(
  { job }: ColumnOffer,
  { chain }: Ports,
  options: AgeOptions,
): Promise<{ readonly object: ObjectInfo; readonly content: Content } | undefined> {
  const found = await chain.objectById(job.objectId, options);
  if (!found) return undefined;
  const version = versionOnChain(found, job.version);
  switch (version.kind) {
    case 'waiting':
      return { object: found.object, content: version.content };
    case 'unannounced':
      return undefined;
    case 'gone':
      throw notWaiting(version.because);
    case 'replaced':
      throw notWaiting(`it was replaced by version ${version.by.version}`);
    case 'sealed':
      throw notWaiting('it is sealed');
  }
}

async function checkGroup(
  offer: ColumnOffer,
  gvg: GlobalVirtualGroup,
  { chain, spId }: Ports,
  { group, signal }: Asking,
): Promise<void> {
  if (gvg.primarySpId !== offer.from) {
    throw refused('not-primary', 50041, `sp ${gvg.primarySpId}, not ${offer.from}, is primary of its group`);
  }
  if (gvg.secondarySpIds[offer.redundancyIndex] !== spId) {
    throw refused('wrong-place', 50039, `index ${offer.redundancyIndex} of its group is not ours`);
  }
  const bucket = await chain.bucket(offer.bucketName, { age: group, signal });
  if (bucket?.familyId !== gvg.familyId) {
    throw refused('wrong-family', 50039, 'its group is not of the bucket’s family');
  }
}

function checkContent(offer: ColumnOffer, object: ObjectInfo, content: Content, plan: PayloadPlan): void {
  const wrong = (
    [
      ['bucket', offer.bucketName, object.bucketName],
      ['object name', offer.objectName, object.objectName],
      ['payload size', offer.payloadSize, plan.payloadSize],
      ['redundancy', offer.redundancy, plan.redundancy],
      ['segment size', offer.maxSegmentSize, plan.maxSegmentSize],
      ['number of data chunks', offer.dataChunks, plan.dataChunks],
      ['number of parity chunks', offer.parityChunks, plan.parityChunks],
    ] as const
  ).find(([, offered, onChain]) => offered !== onChain);
  if (wrong)
    throw refused('offer-differs', 50009, `its ${wrong[0]} is ${wrong[1]}, on chain it is ${wrong[2]}`);
  const delegated = content.checksums.length === 0;
  if (!delegated && !sameChecksums(offer.checksums, content.checksums)) {
    throw refused('offer-differs', 50009, 'its checksums differ from those on chain');
  }
}

/** Repeats a query until the chain knows the item; all but the first query require current data. */
async function untilKnown<T>(
  codes: Pick<ErrorFacts, 'code' | 'gatewayCode'>,
  { timing }: Ports,
  { age, signal }: { readonly age: Age; readonly signal: AbortSignal },
  look: (options: AgeOptions) => Promise<T | undefined>,
): Promise<T> {
  const giveUpAt = performance.now() + timing.chainLagMs;
  const kept = age === 'now' ? undefined : await look({ age, signal });
  if (kept !== undefined) return kept;
  for (;;) {
    const found = await look({ signal });
    if (found !== undefined) return found;
    if (performance.now() >= giveUpAt) {
      throw new Retryable({
        ...codes,
        message: `The chain did not know the offered object or group within ${timing.chainLagMs} ms.`,
        advice: 'Offer the column again; if this continues, compare the heights of both chain nodes.',
      });
    }
    await sleep(timing.chainPollMs, undefined, { signal });
  }
}

function notWaiting(why: string): Terminal {
  return refused('object-not-waiting', 50042, `the object is not waiting for this content: ${why}`);
}

function refused(code: string, gatewayCode: number, why: string): Terminal {
  return new Terminal({ code, gatewayCode, message: `The offer is refused: ${why}.` });
}
