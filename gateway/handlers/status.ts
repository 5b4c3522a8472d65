import { formatSpStatus } from '#protocols/greenfield/sp-status';
import { Cache } from '#runtime/async/cache';
import type { GatewayDependencies } from '../dependencies.ts';
import { clientSignal, type Handler } from '../request/context.ts';

/** The chain is queried at most once per this time, ms. */
const BLOCK_TTL_MS = 1_000;

/**
 * `GET /status`: the provider, its chain and the height of its chain node, as JSON in today's form as far as it
 * applies. Other providers request it before they send us a column over HTTP.
 */
export function status({ chain, spId, domains, receivers }: GatewayDependencies): Handler {
  const block = new Cache({ ttlMs: BLOCK_TTL_MS, maxEntries: 1, load: () => chain.latestBlock() });
  return async (c) => {
    const signal = clientSignal(c);
    const providers = await chain.storageProviders({ signal });
    const { height, time } = await block.get('latest', signal);
    const json = formatSpStatus({
      chainId: chain.chainId,
      operatorAddress: providers.find(({ id }) => id === spId)?.operatorAddress ?? '',
      domain: domains[0] ?? '',
      blockHeight: height,
      blockTime: time,
      takesPieces: receivers !== undefined,
    });
    return c.body(json, 200, { 'Content-Type': 'application/json' });
  };
}
