import {
  QueryAccountRequest,
  QueryAccountResponse,
} from '@bnb-chain/greenfield-cosmos-types/cosmos/auth/v1beta1/query.js';
import {
  QueryBalanceRequest,
  QueryBalanceResponse,
} from '@bnb-chain/greenfield-cosmos-types/cosmos/bank/v1beta1/query.js';
import { DENOM } from '#protocols/greenfield/fees';
import type { Account } from '#protocols/greenfield/types';
import { toAccount } from './decode.ts';
import { ask, method } from './query.ts';
import type { Rpc } from './rpc.ts';

const AccountMethod = method({
  path: '/cosmos.auth.v1beta1.Query/Account',
  request: QueryAccountRequest,
  response: QueryAccountResponse,
  missing: /account \S+ not found/,
});

const BalanceMethod = method({
  path: '/cosmos.bank.v1beta1.Query/Balance',
  request: QueryBalanceRequest,
  response: QueryBalanceResponse,
});

/** Undefined for an account that the chain does not know. */
export async function readAccount(
  rpc: Rpc,
  address: string,
  signal: AbortSignal | undefined,
): Promise<Account | undefined> {
  const answer = await ask(rpc, AccountMethod, { address }, signal);
  return answer?.account && toAccount(answer.account);
}

/** In smallest units of BNB. */
export async function readBalance(
  rpc: Rpc,
  address: string,
  signal: AbortSignal | undefined,
): Promise<bigint> {
  const answer = await ask(rpc, BalanceMethod, { address, denom: DENOM }, signal);
  return BigInt(answer?.balance?.amount ?? 0);
}
