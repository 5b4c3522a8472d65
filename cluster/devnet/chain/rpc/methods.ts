import type { IncludedRecord, Ledger } from '../ledger.ts';
import { abciQuery } from '../queries/abci.ts';
import { DECISIONS } from './decisions.ts';
import type { RpcMethod } from './method.ts';
import { internalError, invalidParams, type Params, RpcError } from './params.ts';
import * as results from './results.ts';

/** Maximum number of transactions on a page, as in CometBFT. */
const MAX_PER_PAGE = 100;

/** The methods that cosmjs, the Greenfield SDKs and Sealion call (protocols/greenfield/README.md#rpc-of-a-node). */
export const METHODS: ReadonlyMap<string, RpcMethod> = new Map<string, RpcMethod>([
  ['health', () => ({})],
  ['status', (ledger) => results.status(ledger.committed, ledger.firstBlock())],
  ['block', block],
  [
    'abci_query',
    async (ledger, params, log) => ({
      response: await abciQuery(ledger, params.text('path'), params.bytes('data', 'hex'), log),
    }),
  ],
  ['broadcast_tx_sync', broadcastTxSync],
  ['tx', tx],
  ['tx_search', txSearch],
  ...DECISIONS,
]);

function block(ledger: Ledger, params: Params): object {
  const { head, chainId } = ledger.committed;
  const height = params.integer('height') ?? head.height;
  if (height < 1 || height > head.height) {
    throw internalError(
      `height ${height} must be between 1 and the current blockchain height ${head.height}`,
    );
  }
  const record = ledger.block(height);
  if (!record) throw internalError(`height ${height} is not available`);
  const transactions = record.transactions.flatMap((hash) => ledger.transaction(hash)?.tx ?? []);
  return results.block(record, chainId, transactions);
}

function broadcastTxSync(ledger: Ledger, params: Params): object {
  const bytes = params.bytes('tx', 'base64');
  if (bytes.length === 0) throw invalidParams('tx is missing');
  const submission = ledger.submit(bytes);
  if (submission === 'already-seen') throw internalError('tx already exists in cache');
  if (submission === 'mempool-full') throw internalError('mempool is full');
  return results.broadcast(submission.hash, submission);
}

function tx(ledger: Ledger, params: Params): object {
  const hash = Buffer.from(params.bytes('hash', 'base64')).toString('hex').toUpperCase();
  const record = ledger.transaction(hash);
  if (!record) throw internalError(`tx (${hash}) not found`);
  return results.transaction(record);
}

/** Supports the two searches that clients use: by hash and by height. */
function txSearch(ledger: Ledger, params: Params): object {
  const found = search(ledger, params.text('query').trim());
  const perPage = Math.min(MAX_PER_PAGE, params.integer('per_page') || 30);
  const page = params.integer('page') || 1;
  if (page > Math.max(1, Math.ceil(found.length / perPage))) {
    throw invalidParams(`page ${page} is out of range`);
  }
  const txs = found.slice((page - 1) * perPage, page * perPage).map(results.transaction);
  return { txs, total_count: found.length.toString() };
}

function search(ledger: Ledger, query: string): readonly IncludedRecord[] {
  const hash = /^tx\.hash\s*=\s*'([0-9a-fA-F]{64})'$/.exec(query)?.[1];
  if (hash !== undefined) {
    const record = ledger.transaction(hash.toUpperCase());
    return record ? [record] : [];
  }
  const height = /^tx\.height\s*=\s*'?([0-9]{1,15})'?$/.exec(query)?.[1];
  if (height !== undefined) {
    const hashes = ledger.block(Number(height))?.transactions ?? [];
    return hashes.flatMap((one) => ledger.transaction(one) ?? []);
  }
  throw new RpcError(-32602, 'Invalid params', 'only tx.hash=… and tx.height=… can be searched for here');
}
