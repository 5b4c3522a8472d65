import type { BucketInfo } from '#protocols/greenfield/types';
import { readUpTo, visibilityText } from './listing.ts';
import type { Reporter } from './reporter.ts';
import type { Session } from './session.ts';
import { count, timestamp } from './units.ts';

const STATES = {
  CREATED: 'in service',
  DISCONTINUED: 'discontinued',
  MIGRATING: 'migrating',
} as const;

/** @returns whether all buckets of the chain were read: it has no list of one account's */
export async function listBuckets(
  { chain, account, network }: Session,
  limit: number,
  report: Reporter,
  signal: AbortSignal,
): Promise<boolean> {
  let found = 0;
  const isComplete = await readUpTo(chain.buckets({ signal }), limit, (bucket) => {
    if (bucket.owner !== account.address) return;
    found += 1;
    const spId = network.sps.find(({ gvgFamilyId }) => gvgFamilyId === bucket.familyId)?.id;
    report.line(bucketLine(bucket, spId), {
      event: 'bucket',
      name: bucket.bucketName,
      bucketId: bucket.id,
      status: bucket.status,
      visibility: bucket.visibility,
      createdAt: bucket.createdAt,
      spId,
    });
  });
  report.line(`${count(found, 'bucket')} of ${account.address}`, {
    event: 'listed',
    buckets: found,
    owner: account.address,
  });
  return isComplete;
}

function bucketLine(bucket: BucketInfo, spId: number | undefined): string {
  return [
    STATES[bucket.status].padEnd(12),
    timestamp(bucket.createdAt),
    visibilityText(bucket.visibility).padEnd(11),
    (spId === undefined ? 'sp unknown' : `sp ${spId}`).padEnd(10),
    bucket.bucketName,
  ].join('  ');
}
