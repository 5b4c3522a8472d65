import { checksumAddress, isAddress } from '#protocols/greenfield/address';
import { freeze } from '../payment/stream-records.ts';
import { isKnown } from '../queries/gashub.ts';
import type { RpcMethod } from './method.ts';
import { invalidParams } from './params.ts';

/**
 * Methods that no real node has. They let tests trigger decisions of governance and effects of time. A decision takes
 * effect at the beginning of the block whose height is returned, and applies to transactions that already wait.
 */
export const DECISIONS: readonly (readonly [string, RpcMethod])[] = [
  // `cosmos.gashub.v1beta1.MsgSetMsgGasParams`, which only governance may send.
  [
    'devnet_set_message_gas',
    (ledger, params) => {
      const type = params.text('type');
      const gas = params.integer('gas');
      if (!isKnown(type)) throw invalidParams(`type is not a message of this chain: ${type.slice(0, 100)}`);
      if (gas === undefined) throw invalidParams('gas is missing');
      return { height: ledger.decide((state) => state.putMessageGas(type, gas)) };
    },
  ],
  // An effect of time: an account's advance payment is used up.
  [
    'devnet_use_up_balance',
    (ledger, params) => {
      const account = params.text('account');
      if (!isAddress(account)) throw invalidParams('account must be an address');
      const address = checksumAddress(account);
      const height = ledger.decide((state, { time }) =>
        freeze({ state, time: Math.floor(time / 1000) }, address),
      );
      return { height };
    },
  ],
];
