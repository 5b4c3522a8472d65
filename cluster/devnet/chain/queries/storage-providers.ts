import * as sp from '@bnb-chain/greenfield-cosmos-types/greenfield/sp/query.js';
import { checksumAddress, isAddress } from '#protocols/greenfield/address';
import type { StorageProvider } from '#protocols/greenfield/types';
import { fromStorageProvider } from '../encode.ts';
import { Prices, priceText } from '../payment/prices.ts';
import { Errors, Refusal } from '../refusal.ts';
import type { StateReader } from '../state-reader.ts';
import { page, type QueryHandler, query } from './query.ts';

/** The sp module's queries (protocols/greenfield/README.md#rpc-of-a-node). */
export const storageProviderQueries: Readonly<Record<string, QueryHandler>> = {
  StorageProviders: query(
    sp.QueryStorageProvidersRequest,
    sp.QueryStorageProvidersResponse,
    ({ committed }, { pagination }) => {
      const { items, nextKey } = page(committed.sps, pagination);
      return sp.QueryStorageProvidersResponse.fromPartial({
        sps: items.map(fromStorageProvider),
        pagination: { nextKey },
      });
    },
  ),
  StorageProvider: query(
    sp.QueryStorageProviderRequest,
    sp.QueryStorageProviderResponse,
    ({ committed }, { id }) => ({ storageProvider: found(committed.sps.find((one) => one.id === id)) }),
  ),
  StorageProviderByOperatorAddress: query(
    sp.QueryStorageProviderByOperatorAddressRequest,
    sp.QueryStorageProviderByOperatorAddressResponse,
    ({ committed }, { operatorAddress }) => ({
      storageProvider: found(byOperator(committed, operatorAddress)),
    }),
  ),
  // All providers of the devnet have the same prices.
  QuerySpStoragePrice: query(
    sp.QuerySpStoragePriceRequest,
    sp.QuerySpStoragePriceResponse,
    ({ committed }, { spAddr }) => {
      const { id } = found(byOperator(committed, spAddr));
      return sp.QuerySpStoragePriceResponse.fromPartial({
        spStoragePrice: {
          spId: id,
          readPrice: priceText(Prices.READ),
          storePrice: priceText(Prices.PRIMARY_STORE),
        },
      });
    },
  ),
  QueryGlobalSpStorePriceByTime: query(
    sp.QueryGlobalSpStorePriceByTimeRequest,
    sp.QueryGlobalSpStorePriceByTimeResponse,
    () =>
      sp.QueryGlobalSpStorePriceByTimeResponse.fromPartial({
        globalSpStorePrice: {
          readPrice: priceText(Prices.READ),
          primaryStorePrice: priceText(Prices.PRIMARY_STORE),
          secondaryStorePrice: priceText(Prices.SECONDARY_STORE),
        },
      }),
  ),
};

function found(storageProvider: StorageProvider | undefined) {
  if (!storageProvider) throw new Refusal(Errors.SP_NOT_FOUND);
  return fromStorageProvider(storageProvider);
}

function byOperator(state: StateReader, operatorAddress: string): StorageProvider | undefined {
  if (!isAddress(operatorAddress)) throw new Refusal(Errors.INVALID_REQUEST, 'invalid operator address');
  const address = checksumAddress(operatorAddress);
  return state.sps.find((one) => one.operatorAddress === address);
}
