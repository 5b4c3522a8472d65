import { Retryable } from '#protocols/errors';
import type { ObjectOnChain } from '#protocols/greenfield/types';
import type { Chain } from '#runtime/chain/chain';

type Asked = Pick<Chain, 'latestBlock' | 'objectById'>;

/**
 * Checks that the chain node is up to date, since nothing is deleted on the basis of an outdated answer.
 * @returns unix ms of its latest block
 * @throws Retryable `chain-lag`
 */
export async function requireFreshChain(
  chain: Pick<Chain, 'latestBlock'>,
  lagMs: number,
  signal: AbortSignal,
): Promise<number> {
  const { time } = await chain.latestBlock({ signal });
  const behind = Date.now() - time;
  if (behind <= lagMs) return time;
  throw new Retryable({
    code: 'chain-lag',
    message: `The chain node is ${Math.round(behind / 1000)} s behind: nothing is deleted on the basis of its answers.`,
    advice: 'Check the chain node.',
  });
}

/**
 * Reads an object in such a way that a deletion can rely on the answer: from a node that is up to date, and whose
 * latest block is newer than our stored data (the announcement came before it).
 * @param storedAt unix ms
 * @returns undefined while the node has not reached that time
 * @throws Retryable `chain-lag`
 */
export async function objectForSure(
  objectId: string,
  storedAt: number,
  { chain, lagMs, signal }: { readonly chain: Asked; readonly lagMs: number; readonly signal: AbortSignal },
): Promise<{ readonly onChain: ObjectOnChain | undefined } | undefined> {
  const time = await requireFreshChain(chain, lagMs, signal);
  if (time < storedAt) return undefined;
  return { onChain: await chain.objectById(objectId, { signal }) };
}
