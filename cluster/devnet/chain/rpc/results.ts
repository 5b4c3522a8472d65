import { createHash } from 'node:crypto';
import type { BlockRecord, IncludedRecord } from '../ledger.ts';
import type { Outcome } from '../outcome.ts';
import type { StateReader } from '../state-reader.ts';

/** Results in the format of CometBFT 0.37. Hashes that a real node computes from trees are placeholders here. */
const NODE_ID = '0'.repeat(40);
const EMPTY_HASH = createHash('sha256').digest('hex').toUpperCase();
const VALIDATOR_ADDRESS = '0'.repeat(40).toUpperCase();
const VALIDATOR_KEY = { type: 'tendermint/PubKeyEd25519', value: Buffer.alloc(32).toString('base64') };

export function status(state: StateReader, firstBlock: BlockRecord | undefined): object {
  const { head } = state;
  return {
    node_info: {
      protocol_version: { p2p: '8', block: '11', app: '0' },
      id: NODE_ID,
      listen_addr: 'tcp://127.0.0.1:0',
      network: state.chainId,
      version: '0.37.2',
      channels: '',
      moniker: 'devnet-chain',
      other: { tx_index: 'on', rpc_address: '' },
    },
    sync_info: {
      latest_block_hash: head.hash,
      latest_app_hash: head.hash,
      latest_block_height: head.height.toString(),
      latest_block_time: timeOf(head),
      earliest_block_hash: firstBlock?.hash ?? '',
      earliest_app_hash: firstBlock?.hash ?? '',
      earliest_block_height: (firstBlock?.height ?? 0).toString(),
      earliest_block_time: firstBlock ? timeOf(firstBlock) : '0001-01-01T00:00:00Z',
      catching_up: false,
    },
    validator_info: { address: VALIDATOR_ADDRESS, pub_key: VALIDATOR_KEY, voting_power: '1' },
  };
}

export function block(record: BlockRecord, chainId: string, transactions: readonly string[]): object {
  const lastId = record.lastHash === '' ? blockId('', 0) : blockId(record.lastHash, 1);
  const lastHeight = (record.height - 1).toString();
  return {
    block_id: blockId(record.hash, 1),
    block: {
      header: {
        version: { block: '11' },
        chain_id: chainId,
        height: record.height.toString(),
        time: timeOf(record),
        last_block_id: lastId,
        last_commit_hash: EMPTY_HASH,
        data_hash: EMPTY_HASH,
        validators_hash: EMPTY_HASH,
        next_validators_hash: EMPTY_HASH,
        consensus_hash: EMPTY_HASH,
        app_hash: record.lastHash,
        last_results_hash: EMPTY_HASH,
        evidence_hash: EMPTY_HASH,
        proposer_address: VALIDATOR_ADDRESS,
      },
      data: { txs: transactions },
      evidence: { evidence: [] },
      last_commit: { height: lastHeight, round: 0, block_id: lastId, signatures: [] },
    },
  };
}

export function transaction(record: IncludedRecord): object {
  const { hash, height, index, tx } = record;
  return { hash, height: height.toString(), index, tx_result: txResult(record.outcome), tx };
}

export function broadcast(hash: string, outcome: Outcome): object {
  return { code: outcome.code, data: '', log: outcome.log, codespace: outcome.codespace, hash };
}

function txResult(outcome: Outcome): object {
  return {
    code: outcome.code,
    data: outcome.data === '' ? null : outcome.data,
    log: outcome.log,
    info: '',
    gas_wanted: outcome.gasWanted.toString(),
    gas_used: outcome.gasUsed.toString(),
    events: outcome.events.map(({ type, attributes }) => ({
      type,
      attributes: attributes.map(({ key, value }) => ({ key, value, index: true })),
    })),
    codespace: outcome.codespace,
  };
}

function blockId(hash: string, parts: number): object {
  return { hash, parts: { total: parts, hash } };
}

function timeOf({ time }: { readonly time: number }): string {
  return new Date(time).toISOString();
}
