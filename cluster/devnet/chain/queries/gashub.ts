import * as gashub from '@bnb-chain/greenfield-cosmos-types/cosmos/gashub/v1beta1/query.js';
import { MESSAGE_TYPES, type MessageTypeUrl } from '#protocols/greenfield/messages';
import { Limits } from '../limits.ts';
import { page, type QueryHandler, query } from './query.ts';

/** The gashub module's queries: what transactions cost (protocols/sealing/README.md#gas-and-fees). */
export const gashubQueries: Readonly<Record<string, QueryHandler>> = {
  Params: query(gashub.QueryParamsRequest, gashub.QueryParamsResponse, () =>
    gashub.QueryParamsResponse.fromPartial({
      params: { maxTxSize: Limits.TX_BYTES, minGasPerByte: Limits.GAS_PER_BYTE },
    }),
  ),
  // Unknown messages in the request are omitted; a request that names none gets all, page by page.
  MsgGasParams: query(
    gashub.QueryMsgGasParamsRequest,
    gashub.QueryMsgGasParamsResponse,
    ({ committed }, { msgTypeUrls, pagination }) => {
      const gasParams = (msgTypeUrl: MessageTypeUrl) => ({
        msgTypeUrl,
        fixedType: { fixedGas: committed.messageGas(msgTypeUrl) },
      });
      if (msgTypeUrls.length > 0) {
        return gashub.QueryMsgGasParamsResponse.fromPartial({
          msgGasParams: msgTypeUrls.filter(isKnown).map(gasParams),
        });
      }
      const all = Object.keys(MESSAGE_TYPES).filter(isKnown).sort();
      const { items, nextKey } = page(all, pagination);
      return gashub.QueryMsgGasParamsResponse.fromPartial({
        msgGasParams: items.map(gasParams),
        pagination: { nextKey },
      });
    },
  ),
};

export function isKnown(typeUrl: string): typeUrl is MessageTypeUrl {
  return Object.hasOwn(MESSAGE_TYPES, typeUrl);
}
