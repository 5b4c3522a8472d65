import { Retryable } from '../protocols/errors.ts';
import type { ObjectOnChain } from '../protocols/greenfield/types.ts';
import type { JobContext } from '../protocols/job/context.ts';
import { formatJobId } from '../protocols/job/identity.ts';
import type { Chain } from '../runtime/chain/chain.ts';

/** Where the chain stands with a job's object. `open`: it still waits for the seal. */
export type Standing =
  | { readonly kind: 'open' }
  | { readonly kind: 'sealed'; readonly gvgId?: number }
  | { readonly kind: 'gone' };

/** How the chain has settled a job's object. */
export type Settled = Exclude<Standing, { kind: 'open' }>;

const OPEN: Standing = { kind: 'open' };
const GONE: Standing = { kind: 'gone' };

/**
 * Asks the chain about a job's object. That it is gone ends a job for good, so a node's word on it counts only
 * once the node is past the block in which the content was announced.
 * @throws Retryable `chain-behind`, and what the chain client throws
 */
export async function standingOf(
  { id, object }: Pick<JobContext, 'id' | 'object'>,
  chain: Pick<Chain, 'objectById' | 'latestBlock'>,
  signal: AbortSignal,
): Promise<Standing> {
  const first = standing(await chain.objectById(id.objectId, { signal }), id.version);
  if (first !== GONE) return first;
  const { time } = await chain.latestBlock({ signal });
  if (time < (object.createdAt + 1) * 1_000) {
    throw new Retryable({
      code: 'chain-behind',
      message: `The chain node does not know object ${formatJobId(id)} yet: it is behind its creation.`,
      advice: 'Wait until the chain node has caught up.',
    });
  }
  return standing(await chain.objectById(id.objectId, { signal }), id.version);
}

/** How the chain has settled a job's object; undefined while it waits for the seal. @throws as `standingOf` */
export async function settledStanding(...about: Parameters<typeof standingOf>): Promise<Settled | undefined> {
  const found = await standingOf(...about);
  return found.kind === 'open' ? undefined : found;
}

/** An object's version rises with the seal of the new content, which until then waits beside the old one. */
function standing(onChain: ObjectOnChain | undefined, version: number): Standing {
  if (!onChain || onChain.object.status === 'DISCONTINUED') return GONE;
  const { object, update, gvg } = onChain;
  if (object.status === 'CREATED') return OPEN;
  if (object.version >= version) {
    return { kind: 'sealed', ...(gvg && object.version === version && { gvgId: gvg.id }) };
  }
  const calledOff = !object.isUpdating || (update !== undefined && update.version !== version);
  return calledOff ? GONE : OPEN;
}
