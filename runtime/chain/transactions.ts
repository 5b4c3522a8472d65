import { TxMsgData } from '@bnb-chain/greenfield-cosmos-types/cosmos/base/abci/v1beta1/abci.js';
import {
  SimulateRequest,
  SimulateResponse,
} from '@bnb-chain/greenfield-cosmos-types/cosmos/tx/v1beta1/service.js';
import { parseGasPrice, refusalOfSimulation, type Simulation } from '#protocols/greenfield/simulation';
import { transactionHash } from '#protocols/greenfield/transaction';
import type { BroadcastResult, IncludedTransaction } from './chain.ts';
import { askFor, method, unavailable, withClient } from './query.ts';
import { type Rpc, RpcRefusal } from './rpc.ts';

const Simulate = method({
  path: '/cosmos.tx.v1beta1.Service/Simulate',
  request: SimulateRequest,
  response: SimulateResponse,
});

/**
 * `broadcast_tx_sync`. Bytes that the node has already accepted count as accepted (code 0): CometBFT answers their
 * repetition with an error of its mempool cache, but seals are repeated with the same bytes on purpose.
 */
export async function broadcast(
  rpc: Rpc,
  transaction: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<BroadcastResult> {
  const hash = transactionHash(transaction);
  return withClient(rpc, signal, async (client) => {
    try {
      const { code, codespace, log } = await client.broadcastTxSync({ tx: transaction });
      return { hash, code, codespace: codespace ?? '', log: log ?? '' };
    } catch (error) {
      if (!(error instanceof RpcRefusal)) throw error;
      if (/already exists in cache/.test(error.data)) {
        return { hash, code: 0, codespace: '', log: error.data };
      }
      // The codes that Cosmos clients use for what CometBFT refuses before the application sees it.
      if (/tx too large/i.test(error.data)) return { hash, code: 21, codespace: 'sdk', log: error.data };
      throw unavailable(error.message, error);
    }
  });
}

/** Simulates a transaction. Its refusal is an answer, a failed query is not. @throws as `ask` */
export async function simulate(
  rpc: Rpc,
  transaction: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Simulation> {
  const { value: answer } = await askFor(
    rpc,
    Simulate,
    { txBytes: transaction },
    signal,
    refusalOfSimulation,
  );
  if ('code' in answer) return { kind: 'refused', ...answer };
  const { gasUsed, minGasPrice = '' } = answer.gasInfo ?? {};
  return { kind: 'accepted', gasUsed: Number(gasUsed ?? 0), minGasPrice: parseGasPrice(minGasPrice) };
}

/**
 * Finds a transaction by its hash; undefined while it is in no block, and when the node has no index (`tx_index.indexer
 * = "null"`).
 */
export async function includedTransaction(rpc: Rpc, hash: string): Promise<IncludedTransaction | undefined> {
  return withClient(rpc, undefined, async (client) => {
    try {
      const { height, result } = await client.tx({ hash: Buffer.from(hash, 'hex') });
      const responses = result.data ? TxMsgData.decode(result.data).msgResponses : [];
      return {
        hash,
        height,
        code: result.code,
        codespace: result.codespace ?? '',
        log: result.log ?? '',
        responses: responses.map(({ typeUrl, value }) => ({ typeUrl, value })),
      };
    } catch (error) {
      if (error instanceof RpcRefusal && /not found|transaction indexing is disabled/.test(error.data))
        return undefined;
      throw error;
    }
  });
}
