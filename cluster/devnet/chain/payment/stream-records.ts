import { DENOM } from '#protocols/greenfield/fees';
import type { Context } from '../messages/context.ts';
import type { StreamRecord } from '../records.ts';
import { Errors, plainRefusal, Refusal } from '../refusal.ts';
import type { State } from '../state.ts';
import { PaymentParams } from './prices.ts';

/** A change of an account's stream record; amounts in the smallest unit of BNB. */
export interface StreamChange {
  /** Per second; negative if the account pays more than before. */
  readonly rate?: bigint;
  readonly static?: bigint;
  readonly lock?: bigint;
}

export type PaymentContext = Pick<Context, 'state' | 'time'>;

/** The record of an account; an empty one if it has never paid. */
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
 * Changes an account's stream record. If its balance is too low, the rest is taken from the account's coins.
 * @throws Refusal for a frozen account, and for one that cannot pay
 */
export function changeStream(context: PaymentContext, account: string, change: StreamChange): StreamRecord {
  const { state, time } = context;
  const record = streamRecordOf(context, account);
  if (record.status === 'FROZEN') throw plainRefusal(`stream record ${account} is frozen`);
  const { rate = 0n, static: paid = 0n, lock = 0n } = change;

  const flowed = record.netflowRate * BigInt(Math.max(0, time - record.crudTimestamp));
  const netflowRate = record.netflowRate + rate;
  const bufferBalance = netflowRate < 0n ? -netflowRate * PaymentParams.RESERVE_TIME : 0n;
  // Less may be locked than is to be unlocked, since the account may have been settled in between.
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

/** Freezes an account that has used up its balance: what it pays for cannot be changed until somebody deposits. */
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

/** Adds a deposit to a frozen account, and resumes it if the deposit covers its reserve. */
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

/** Moves coins from an account to the payment module. @throws Refusal when the account does not have enough */
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
