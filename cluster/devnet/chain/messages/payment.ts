import { createHash } from 'node:crypto';
import { checksumAddress } from '#protocols/greenfield/address';
import { PaymentEvent } from '#protocols/greenfield/events';
import { fromHex, toHex } from '#protocols/greenfield/hex';
import type { MessageValue } from '#protocols/greenfield/messages';
import { PaymentParams } from '../payment/prices.ts';
import { changeStream, payFromBank, resume, streamRecordOf } from '../payment/stream-records.ts';
import { Errors, Refusal } from '../refusal.ts';
import type { Context, MessageResponse } from './context.ts';

/** Creates an account without a key, from which only its creator can pay and withdraw. @throws Refusal */
export function createPaymentAccount(
  { state, emit }: Context,
  message: MessageValue<'/greenfield.payment.MsgCreatePaymentAccount'>,
): MessageResponse {
  const owner = checksumAddress(message.creator);
  const count = state.paymentAccountsOf(owner).length;
  const limit = PaymentParams.ACCOUNTS_PER_OWNER;
  if (count >= limit) {
    throw new Refusal(Errors.TOO_MANY_PAYMENT_ACCOUNTS, `current count: ${count}, limit: ${limit}`);
  }
  const address = paymentAddressOf(owner, count);
  state.putPaymentAccount({ address, owner });
  emit(PaymentEvent.ACCOUNT_UPDATE, { addr: address, owner, refundable: true });
  return { typeUrl: '/greenfield.payment.MsgCreatePaymentAccountResponse', value: new Uint8Array() };
}

/** Pays into anybody's stream record; a frozen account is resumed if the deposit is large enough. @throws Refusal */
export function deposit(
  context: Context,
  message: MessageValue<'/greenfield.payment.MsgDeposit'>,
): MessageResponse {
  const { state, emit } = context;
  const from = checksumAddress(message.creator);
  const to = checksumAddress(message.to);
  const amount = BigInt(message.amount);
  payFromBank(state, from, amount);
  const found = state.streamRecord(to);
  if (!found) {
    if (!state.paymentAccount(to) && !state.account(to)) throw new Refusal(Errors.NO_SUCH_RECEIVER);
    state.putStreamRecord({ ...streamRecordOf(context, to), staticBalance: amount });
  } else if (found.status === 'ACTIVE') {
    changeStream(context, to, { static: amount });
  } else {
    resume(context, found, amount);
  }
  emit(PaymentEvent.DEPOSIT, { from, to, amount: amount.toString() });
  return { typeUrl: '/greenfield.payment.MsgDepositResponse', value: new Uint8Array() };
}

/** Withdraws funds that stored data does not need; unlike on a real chain, always without delay. @throws Refusal */
export function withdraw(
  context: Context,
  message: MessageValue<'/greenfield.payment.MsgWithdraw'>,
): MessageResponse {
  const { state, emit } = context;
  const creator = checksumAddress(message.creator);
  if (message.from === '') {
    throw new Refusal(Errors.NO_DELAYED_WITHDRAWAL, `delayed withdrawal not found ${creator}`);
  }
  const from = checksumAddress(message.from);
  const amount = BigInt(message.amount);
  const record = state.streamRecord(from);
  if (!record) throw new Refusal(Errors.NO_SUCH_STREAM_RECORD);
  if (record.status === 'FROZEN') {
    throw new Refusal(Errors.INVALID_STREAM_STATUS, 'stream record is frozen');
  }
  if (from !== creator) {
    const account = state.paymentAccount(from);
    if (!account) throw new Refusal(Errors.NO_SUCH_PAYMENT_ACCOUNT);
    if (account.owner !== creator) throw new Refusal(Errors.NOT_PAYMENT_ACCOUNT_OWNER);
  }
  const { staticBalance } = changeStream(context, from, { static: -amount });
  if (staticBalance < 0n) {
    throw new Refusal(Errors.INSUFFICIENT_BALANCE, `static balance: ${staticBalance} after withdraw`);
  }
  const account = state.account(creator);
  if (account) state.putAccount({ ...account, balance: (BigInt(account.balance) + amount).toString() });
  emit(PaymentEvent.WITHDRAW, { to: creator, from, amount: amount.toString() });
  return { typeUrl: '/greenfield.payment.MsgWithdrawResponse', value: new Uint8Array() };
}

/** The address that the chain derives for an owner's payment account. @param index counts from 0 */
function paymentAddressOf(owner: string, index: number): string {
  const key = Buffer.alloc(8);
  key.writeBigUInt64LE(BigInt(index));
  const type = createHash('sha256')
    .update(fromHex(owner.slice(2).toLowerCase()))
    .digest();
  const hash = createHash('sha256').update(type).update(key).digest();
  return checksumAddress(`0x${toHex(hash.subarray(0, 20))}`);
}
