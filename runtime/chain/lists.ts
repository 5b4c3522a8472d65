import { PageRequest } from '@bnb-chain/greenfield-cosmos-types/cosmos/base/query/v1beta1/pagination.js';
import { Long } from '@bnb-chain/greenfield-cosmos-types/helpers.js';
import type { BucketInfo, ObjectInfo } from '#protocols/greenfield/types';
import * as decode from './decode.ts';
import * as methods from './methods.ts';
import { ask, unavailable } from './query.ts';
import type { Rpc } from './rpc.ts';

/** Entries per page: the maximum that nodes return. */
const PAGE_SIZE = 100;

/** All buckets of the chain, the newest first. */
export function bucketPages(rpc: Rpc, signal?: AbortSignal): AsyncIterable<readonly BucketInfo[]> {
  return pages(async (page) => {
    const answer = await ask(rpc, methods.ListBuckets, { pagination: { ...page, reverse: true } }, signal);
    return { items: (answer?.bucketInfos ?? []).map(decode.toBucket), next: answer?.pagination?.nextKey };
  });
}

/** The objects of a bucket, in the order of their hashes. */
export function objectPages(
  rpc: Rpc,
  bucketName: string,
  signal?: AbortSignal,
): AsyncIterable<readonly ObjectInfo[]> {
  return pages(async (pagination) => {
    const answer = await ask(rpc, methods.ListObjects, { bucketName, pagination }, signal);
    return { items: (answer?.objectInfos ?? []).map(decode.toObject), next: answer?.pagination?.nextKey };
  });
}

/** Requests pages as they are read. @throws Retryable `chain-unavailable` when a list does not advance */
async function* pages<T>(
  read: (
    page: PageRequest,
  ) => Promise<{ readonly items: readonly T[]; readonly next: Uint8Array | undefined }>,
): AsyncGenerator<readonly T[], void, undefined> {
  let key: Uint8Array = new Uint8Array();
  for (;;) {
    const { items, next } = await read(PageRequest.fromPartial({ key, limit: Long.fromNumber(PAGE_SIZE) }));
    yield items;
    if (!next || next.length === 0) return;
    if (Buffer.compare(next, key) === 0) throw unavailable('a list of the node comes no further');
    key = next;
  }
}
