import { BaseAccount } from '@bnb-chain/greenfield-cosmos-types/cosmos/auth/v1beta1/auth.js';
import {
  QueryAccountRequest,
  QueryAccountResponse,
} from '@bnb-chain/greenfield-cosmos-types/cosmos/auth/v1beta1/query.js';
import {
  QueryBalanceRequest,
  QueryBalanceResponse,
} from '@bnb-chain/greenfield-cosmos-types/cosmos/bank/v1beta1/query.js';
import {
  SimulateRequest,
  SimulateResponse,
} from '@bnb-chain/greenfield-cosmos-types/cosmos/tx/v1beta1/service.js';
import { checksumAddress, isAddress } from '#protocols/greenfield/address';
import { DENOM, MIN_GAS_PRICE } from '#protocols/greenfield/fees';
import { fromAccount } from '../encode.ts';
import { Errors, Refusal } from '../refusal.ts';
import { notFound, query } from './query.ts';

/** `/cosmos.auth.v1beta1.Query/Account` */
export const accountQuery = query(QueryAccountRequest, QueryAccountResponse, (ledger, { address }) => {
  if (!isAddress(address)) throw new Refusal(Errors.INVALID_REQUEST, 'invalid address');
  const account = ledger.account(checksumAddress(address));
  if (!account) throw notFound(`account ${address} not found`);
  return QueryAccountResponse.fromPartial({
    account: {
      typeUrl: '/cosmos.auth.v1beta1.BaseAccount',
      value: BaseAccount.encode(fromAccount(account)).finish(),
    },
  });
});

/** `/cosmos.bank.v1beta1.Query/Balance`; 0 for an unknown account. */
export const balanceQuery = query(
  QueryBalanceRequest,
  QueryBalanceResponse,
  ({ committed }, { address, denom }) => {
    if (!isAddress(address)) throw new Refusal(Errors.INVALID_REQUEST, 'invalid address');
    const balance = denom === DENOM ? committed.account(checksumAddress(address))?.balance : undefined;
    return { balance: { denom, amount: balance ?? '0' } };
  },
);

/** `/cosmos.tx.v1beta1.Service/Simulate` */
export const simulateQuery = query(SimulateRequest, SimulateResponse, (ledger, { txBytes }) => {
  const { code, log, gasWanted, gasUsed, data } = ledger.simulate(txBytes);
  if (code !== 0) {
    // The space at the end is the chain's.
    const gas = `With gas wanted: '${gasWanted}' and gas used: '${gasUsed}' `;
    throw new Refusal(Errors.UNKNOWN_REQUEST, `rpc error: code = Unknown desc = ${log} ${gas}`);
  }
  return SimulateResponse.fromPartial({
    gasInfo: { gasWanted, gasUsed, minGasPrice: `${MIN_GAS_PRICE}${DENOM}` },
    result: { data: Buffer.from(data, 'base64'), log },
  });
});
