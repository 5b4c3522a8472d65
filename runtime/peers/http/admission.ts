import { toSealionError } from '#protocols/errors';
import { parseSpStatus, SP_STATUS_PATH } from '#protocols/greenfield/sp-status';
import type { StorageProvider } from '#protocols/greenfield/types';
import type { Chain } from '../../chain/chain.ts';
import type { HttpLinks } from './links.ts';
import { refusal } from './refusals.ts';

export interface AdmissionOptions {
  readonly chain: Pick<Chain, 'chainId' | 'latestBlock'>;
  readonly providers: () => Promise<readonly StorageProvider[]>;
  readonly links: HttpLinks;
}

/** Why an SP is given no column now. */
export interface NotAdmitted {
  readonly code: string;
  readonly reason: string;
}

/** How long an SP may take to tell its status; ms. */
const STATUS_TIMEOUT_MS = 5_000;
/** An SP whose last block is older than the chain's by more is not believed to know the object; ms. */
const MAX_LAG_MS = 30_000;

/**
 * The approval step of the HTTP wire, on which nobody approves: a secondary gets a column when it is reachable, in
 * service, and not lagging behind the chain.
 * @returns why it does not; undefined when it does
 * @throws Cancelled when the signal fires
 */
export async function admit(
  spId: number,
  { chain, providers, links }: AdmissionOptions,
  signal: AbortSignal,
): Promise<NotAdmitted | undefined> {
  try {
    const provider = (await providers()).find(({ id }) => id === spId);
    if (!provider) return { code: 'sp-unknown', reason: 'The chain does not list it.' };
    if (provider.status !== 'IN_SERVICE') {
      return { code: 'not-in-service', reason: `Its status on chain is ${provider.status}.` };
    }
    const call = { method: 'GET', endpoint: provider.endpoint, path: SP_STATUS_PATH } as const;
    const answer = await links.call(call, { timeoutMs: STATUS_TIMEOUT_MS, signals: [signal] });
    if (answer.status !== 200) throw refusal('status-refused', spId, answer);
    const status = parseSpStatus(answer.body);
    if (status.operatorAddress.toLowerCase() !== provider.operatorAddress.toLowerCase()) {
      return { code: 'wrong-sp', reason: `At its endpoint answers ${status.operatorAddress || 'nobody'}.` };
    }
    if (status.chainId !== chain.chainId) {
      return { code: 'wrong-chain', reason: `It is on chain ${status.chainId || 'unknown'}.` };
    }
    if (!status.takesPieces) return { code: 'wire-off', reason: 'It takes no columns over HTTP.' };
    const lag = (await chain.latestBlock({ signal })).time - status.blockTime;
    if (lag > MAX_LAG_MS) {
      return { code: 'chain-lag', reason: `It is ${Math.round(lag / 1000)} s behind the chain.` };
    }
    return undefined;
  } catch (thrown) {
    const error = toSealionError(thrown);
    if (error.kind === 'cancelled') throw error;
    return { code: error.code, reason: error.message };
  }
}
