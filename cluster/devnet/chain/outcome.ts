import { TxMsgData } from '@bnb-chain/greenfield-cosmos-types/cosmos/base/abci/v1beta1/abci.js';
import type { AbciEvent } from '#protocols/greenfield/events';
import type { Transaction } from '#protocols/greenfield/transaction';
import type { Logger } from '#runtime/telemetry/logger';
import { createContext, type MessageResponse } from './messages/context.ts';
import { executeMessage } from './messages/execute.ts';
import { Refusal } from './refusal.ts';
import { State } from './state.ts';
import { admit, gasUsed, type Mode, readTransaction } from './transactions.ts';

/** Result of a transaction, in a block or before. Code 0 means success. */
export interface Outcome {
  readonly code: number;
  readonly codespace: string;
  readonly log: string;
  /** TxMsgData, base64; empty when no message ran. */
  readonly data: string;
  readonly gasWanted: number;
  readonly gasUsed: number;
  readonly events: readonly AbciEvent[];
}

/** The block in which a transaction runs. */
export interface BlockPosition {
  readonly height: number;
  /** Unix ms. */
  readonly time: number;
}

/** A node's answer when its own code fails: codespace sdk, "panic". */
const PANIC = { codespace: 'sdk', code: 111222 };

/**
 * Runs a transaction on a state. Fee and sequence are used up even if a message fails; the changes of the messages are
 * kept only if all succeed. Never throws: hostile bytes and internal errors become codes.
 */
export function runTransaction(
  state: State,
  bytes: Uint8Array,
  mode: Mode,
  block: BlockPosition,
  log: Logger,
): Outcome {
  let gas = { gasWanted: 0, gasUsed: 0 };
  try {
    const transaction = readTransaction(bytes);
    gas = { gasWanted: transaction.fee.gasLimit, gasUsed: gasUsed(state, transaction, bytes.length).used };
    admit(state, transaction, bytes.length, mode, block.height);
    const done = mode === 'check' ? { data: '', events: [] } : executeMessages(state, transaction, block);
    return { code: 0, codespace: '', log: '[]', ...done, ...gas };
  } catch (error) {
    const failure = { data: '', events: [], ...gas };
    if (error instanceof Refusal) return { ...error.error, log: error.message, ...failure };
    log.error({ error }, 'a transaction caused an internal error');
    return { ...PANIC, log: `recovered: ${String(error)}: panic`, ...failure };
  }
}

function executeMessages(
  below: State,
  transaction: Transaction,
  block: BlockPosition,
): Pick<Outcome, 'data' | 'events'> {
  const state = new State(below.overlay);
  const context = createContext(state, block);
  const msgResponses = transaction.messages.map((message, index): MessageResponse => {
    try {
      return executeMessage(context, message);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw error.at(index);
    }
  });
  below.overlay.absorb(state.overlay);
  const data = TxMsgData.encode(TxMsgData.fromPartial({ msgResponses })).finish();
  return { data: Buffer.from(data).toString('base64'), events: context.events };
}
