import { DENOM } from '#protocols/greenfield/fees';
import type { Context } from '../messages/context.ts';
import type { StreamRecord } from '../records.ts';
import { Errors, plainRefusal, Refusal } from '../refusal.ts';
import type { State } from '../state.ts';
import { PaymentParams } from './prices.ts';

/** What a message changes in the stream record of an account; amounts in the smallest unit of BNB. */
export interface StreamChange {
  /** Per second; negative where the account pays more than before. */
  readonly rate?: bigint;
  readonly static?: bigint;
  readonly lock?: bigint;
}

export type PaymentContext = Pick<Context, 'state' | 'time'>;

/** The record of an account, or that of one which has never paid. */
export function streamRecordOf({ state, time }: PaymentContext, account: string): StreamRecord {
  return (
    state.streamRecord(account) ?? {
      account,
      crudTimestamp: time,
      netflowRate: 0n,
      frozenNetflowRate: 0n,
      staticBalance: 0n,
      bufferBalance: 0n,
      lockBalance: 0n,
      status: 'ACTIVE',
      settleTimestamp: 0,
    }
  );
}

/**
 * Changes an account's stream record. What its balance lacks is taken from what it holds in the bank.
 * @throws Refusal of a frozen account, and of one that cannot pay
 */
export function changeStream(context: PaymentContext, account: string, change: StreamChange): StreamRecord {
  const { state, time } = context;
  const record = streamRecordOf(context, account);
  if (record.status === 'FROZEN') throw plainRefusal(`stream record ${account} is frozen`);
  const { rate = 0n, static: paid = 0n, lock = 0n } = change;

  const flowed = record.netflowRate * BigInt(Math.max(0, time - record.crudTimestamp));
  const netflowRate = record.netflowRate + rate;
  const bufferBalance = netflowRate < 0n ? -netflowRate * PaymentParams.RESERVE_TIME : 0n;
  // Less can be locked than is unlocked, since an account may have been settled between.
  const lockBalance = record.lockBalance + lock < 0n ? 0n : record.lockBalance + lock;
  const locked = lockBalance - record.lockBalance;
  let staticBalance = record.staticBalance + flowed - locked - bufferBalance + record.bufferBalance + paid;
  if (staticBalance < 0n && takeFromBank(state, account, -staticBalance)) staticBalance = 0n;
  if ((paid < 0n || rate < 0n) && staticBalance < 0n) {
    throw plainRefusal(`stream account ${account} balance not enough, lack of ${-staticBalance} BNB`);
  }
  let settleTimestamp = 0;
  if (netflowRate < 0n) {
    const payDuration = (staticBalance + bufferBalance) / -netflowRate;
    if (payDuration <= PaymentParams.FORCED_SETTLE_TIME) {
      throw plainRefusal(`stream account ${account} lacks of ${absolute(staticBalance)} BNB`);
    }
    settleTimestamp = time + Number(payDuration - PaymentParams.FORCED_SETTLE_TIME);
  }
  const changed = {
    ...record,
    crudTimestamp: Math.max(time, record.crudTimestamp),
    netflowRate,
    staticBalance,
    bufferBalance,
    lockBalance,
    settleTimestamp,
  };
  state.putStreamRecord(changed);
  return changed;
}

/** An account that has used up its balance: nothing that it pays for can be changed until somebody deposits. */
export function freeze(context: PaymentContext, account: string): void {
  const record = streamRecordOf(context, account);
  if (record.status === 'FROZEN') return;
  context.state.putStreamRecord({
    ...record,
    crudTimestamp: context.time,
    netflowRate: 0n,
    frozenNetflowRate: record.frozenNetflowRate + record.netflowRate,
    staticBalance: 0n,
    bufferBalance: 0n,
    status: 'FROZEN',
  });
}

/** Adds a deposit to a frozen account, which goes on when the deposit pays for its reserve. */
export function resume({ state, time }: PaymentContext, record: StreamRecord, deposit: bigint): void {
  const rate = record.netflowRate + record.frozenNetflowRate;
  const staticBalance = record.staticBalance + deposit;
  const reserve = -rate * PaymentParams.RESERVE_TIME;
  if (rate === 0n) {
    state.putStreamRecord({
      ...record,
      staticBalance,
      status: 'ACTIVE',
      crudTimestamp: time,
      settleTimestamp: 0,
    });
  } else if (staticBalance < reserve) {
    state.putStreamRecord({ ...record, staticBalance });
  } else {
    const paidFor = staticBalance / absolute(rate) - PaymentParams.FORCED_SETTLE_TIME;
    state.putStreamRecord({
      ...record,
      status: 'ACTIVE',
      crudTimestamp: time,
      netflowRate: rate,
      frozenNetflowRate: 0n,
      staticBalance: staticBalance - reserve,
      bufferBalance: reserve,
      settleTimestamp: time + Number(paidFor),
    });
  }
}

/** Moves coins from an account into the payment module. @throws Refusal when it does not have them */
export function payFromBank(state: State, account: string, amount: bigint): void {
  if (takeFromBank(state, account, amount)) return;
  const balance = state.account(account)?.balance ?? '0';
  throw new Refusal(
    Errors.INSUFFICIENT_FUNDS,
    `spendable balance ${balance}${DENOM} is smaller than ${amount}${DENOM}`,
  );
}

function takeFromBank(state: State, account: string, amount: bigint): boolean {
  const found = state.account(account);
  if (!found || BigInt(found.balance) < amount) return false;
  state.putAccount({ ...found, balance: (BigInt(found.balance) - amount).toString() });
  return true;
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
