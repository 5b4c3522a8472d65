import type { PageRequest } from '@bnb-chain/greenfield-cosmos-types/cosmos/base/query/v1beta1/pagination.js';
import * as storage from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/query.js';
import { fromBucket, fromObject } from '../encode.ts';
import type { Ledger } from '../ledger.ts';
import { BUCKET_NAMES, objectIds } from '../state-format.ts';
import { invalidArgument, PAGE_LIMIT, type QueryHandler, query } from './query.ts';

/** Maximum page size of a request; a page still has at most `PAGE_LIMIT` items. */
const MAX_ASKED = 200;

/** The storage module's lists. */
export const listQueries: Readonly<Record<string, QueryHandler>> = {
  ListBuckets: query(
    storage.QueryListBucketsRequest,
    storage.QueryListBucketsResponse,
    async (ledger, { pagination }) => {
      const { values, nextKey } = await pageOf(ledger, BUCKET_NAMES, pagination);
      const { access } = ledger.committed;
      const found = values.flatMap((name) => ledger.committed.bucket(name) ?? []);
      return storage.QueryListBucketsResponse.fromPartial({
        bucketInfos: found.map((bucket) => fromBucket(bucket, access.tags('BUCKET', bucket.id))),
        pagination: { nextKey },
      });
    },
  ),
  // The list of a bucket that does not exist is empty.
  ListObjects: query(
    storage.QueryListObjectsRequest,
    storage.QueryListObjectsResponse,
    async (ledger, { bucketName, pagination }) => {
      if (bucketName === '') throw invalidArgument('bucket name should not be empty');
      const { values, nextKey } = await pageOf(ledger, objectIds(bucketName), pagination);
      const { access } = ledger.committed;
      const found = values.flatMap((id) => ledger.committed.objectById(id) ?? []);
      return storage.QueryListObjectsResponse.fromPartial({
        objectInfos: found.map((object) => fromObject(object, access.tags('OBJECT', object.id))),
        pagination: { nextKey },
      });
    },
  ),
};

async function pageOf(
  ledger: Ledger,
  prefix: string,
  pagination: PageRequest | undefined,
): Promise<{ readonly values: readonly string[]; readonly nextKey: Uint8Array }> {
  const { key = new Uint8Array(), reverse = false, countTotal = false } = pagination ?? {};
  const [asked, offset] = [pagination?.limit, pagination?.offset].map((number) => Number(number ?? 0));
  if ((asked ?? 0) > MAX_ASKED) throw invalidArgument(`exceed pagination limit ${MAX_ASKED}`);
  if (countTotal || offset !== 0) throw invalidArgument('query with offset/count total is not allowed');
  const size = Math.min(asked || PAGE_LIMIT, PAGE_LIMIT);
  const from = key.length > 0 && { from: Buffer.from(key).toString() };
  const found = await ledger.entries<string>(prefix, { limit: size + 1, reverse, ...from });
  return {
    values: found.slice(0, size).map(([, value]) => value),
    nextKey: Buffer.from(found[size]?.[0] ?? ''),
  };
}
