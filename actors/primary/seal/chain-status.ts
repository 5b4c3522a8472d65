import { Retryable } from '#protocols/errors';
import { type Content, isSameAnnouncement, versionOnChain } from '#protocols/greenfield/content';
import type { ObjectOnChain } from '#protocols/greenfield/types';
import { announcementOf } from '#protocols/job/announcement';
import type { JobContext } from '#protocols/job/context';
import { formatJobId } from '#protocols/job/identity';
import type { Chain } from '#runtime/chain/chain';

/** What the chain says about a job's content. `open`: the chain still waits for its seal. */
export type ChainStatus =
  | { readonly kind: 'open' }
  | { readonly kind: 'sealed'; readonly gvgId?: number }
  | Gone;

/** The chain will never seal the content. */
export interface Gone {
  readonly kind: 'gone';
  /** `content-not-awaited`: the object exists, perhaps with other content. */
  readonly code: 'no-such-object' | 'content-not-awaited';
  /** A sentence for an operator. */
  readonly because: string;
}

/** A status that does not change any more: the chain no longer waits for the job's content. */
export type FinalStatus = Exclude<ChainStatus, { kind: 'open' }>;

type About = Pick<JobContext, 'id' | 'object' | 'payload'>;

/**
 * Asks the chain about a job's content. Since `gone` ends the job for good, it is believed only when the chain node is
 * past the block in which the content was announced.
 * @throws Retryable `chain-behind`, and what the chain client throws
 */
export async function chainStatusOf(
  context: About,
  chain: Pick<Chain, 'objectById' | 'latestBlock'>,
  signal: AbortSignal,
): Promise<ChainStatus> {
  const { id, object } = context;
  const first = status(await chain.objectById(id.objectId, { signal }), context);
  if (first.kind !== 'gone') return first;
  const { time } = await chain.latestBlock({ signal });
  if (time < (object.createdAt + 1) * 1_000) {
    throw new Retryable({
      code: 'chain-behind',
      message: `The chain node does not know the content of object ${formatJobId(id)} yet: the node is behind.`,
      advice: 'Wait until the chain node has caught up.',
    });
  }
  return status(await chain.objectById(id.objectId, { signal }), context);
}

/** As `chainStatusOf`, but undefined while the chain still waits for the seal. */
export async function finalStatus(
  ...about: Parameters<typeof chainStatusOf>
): Promise<FinalStatus | undefined> {
  const found = await chainStatusOf(...about);
  return found.kind === 'open' ? undefined : found;
}

/** Compares the announcement, since the chain gives the version number of a cancelled update to the next one. */
function status(onChain: ObjectOnChain | undefined, context: About): ChainStatus {
  const found = versionOnChain(onChain, context.id.version);
  switch (found.kind) {
    case 'waiting':
      if (isOurs(found.content, context)) return { kind: 'open' };
      return gone('the update was cancelled, and other content announced instead');
    case 'sealed':
      if (isOurs(found.content, context)) {
        return { kind: 'sealed', ...(found.gvg && { gvgId: found.gvg.id }) };
      }
      return gone('the object was sealed with other content');
    case 'replaced':
      return { kind: 'sealed' };
    case 'unannounced':
      return gone('the update was cancelled');
    case 'gone':
      return gone(found.because, onChain ? undefined : 'no-such-object');
  }
}

function isOurs(content: Content, context: About): boolean {
  return isSameAnnouncement(content, announcementOf(context));
}

function gone(why: string, code: Gone['code'] = 'content-not-awaited'): Gone {
  return { kind: 'gone', code, because: `${why.charAt(0).toUpperCase()}${why.slice(1)}.` };
}
