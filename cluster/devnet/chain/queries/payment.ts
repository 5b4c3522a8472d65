import * as payment from '@bnb-chain/greenfield-cosmos-types/greenfield/payment/query.js';
import { checksumAddress, isAddress } from '#protocols/greenfield/address';
import { fromStreamRecord } from '../encode.ts';
import { invalidArgument, notFound, type QueryHandler, query } from './query.ts';

/** The payment module's queries. */
export const paymentQueries: Readonly<Record<string, QueryHandler>> = {
  StreamRecord: query(
    payment.QueryGetStreamRecordRequest,
    payment.QueryGetStreamRecordResponse,
    ({ committed }, { account }) => {
      if (!isAddress(account)) throw invalidArgument('invalid account');
      const record = committed.streamRecord(checksumAddress(account));
      if (!record) throw notFound('not found');
      return { streamRecord: fromStreamRecord(record) };
    },
  ),
  PaymentAccount: query(
    payment.QueryPaymentAccountRequest,
    payment.QueryPaymentAccountResponse,
    ({ committed }, { addr }) => {
      if (!isAddress(addr)) throw invalidArgument('invalid address');
      const account = committed.paymentAccount(checksumAddress(addr));
      if (!account) throw notFound('not found');
      return { paymentAccount: { addr: account.address, owner: account.owner, refundable: true } };
    },
  ),
  PaymentAccountsByOwner: query(
    payment.QueryPaymentAccountsByOwnerRequest,
    payment.QueryPaymentAccountsByOwnerResponse,
    ({ committed }, { owner }) => {
      if (!isAddress(owner)) throw invalidArgument('invalid owner');
      const paymentAccounts = [...committed.paymentAccountsOf(checksumAddress(owner))];
      if (paymentAccounts.length === 0) throw notFound('not found');
      return { paymentAccounts };
    },
  ),
};
