import { Terminal } from '#protocols/errors';
import type { BucketInfo, ObjectInfo, Visibility } from '#protocols/greenfield/types';
import { readNetwork } from './network.ts';
import type { Reporter } from './reporter.ts';
import { parseListName, Session } from './session.ts';
import { count, size, timestamp } from './units.ts';

export interface LsOptions {
  readonly network: string;
  /** Buckets or objects that are read from the chain at most. */
  readonly limit: number;
}

/**
 * `sealion ls [BUCKET[/PREFIX]]`: the buckets of the account, the newest first, or the objects of a bucket whose names
 * begin with a prefix, by name.
 * @throws Terminal `no-such-bucket`; `list-cut` when the chain has more than the limit, after what was read is shown
 */
export async function ls(
  name: string | undefined,
  options: LsOptions,
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const place = name === undefined ? undefined : parseListName(name);
  const session = await Session.open(await readNetwork(options.network));
  try {
    const isComplete = place
      ? await listObjects(session, place, options.limit, report, signal)
      : await listBuckets(session, options.limit, report, signal);
    if (!isComplete)
      throw cut(place ? 'objects of the bucket' : 'newest buckets of the chain', options.limit);
  } finally {
    session.close();
  }
}

/** @returns whether all buckets of the chain were read: it has no list of one account's */
async function listBuckets(
  { chain, account, network }: Session,
  limit: number,
  report: Reporter,
  signal: AbortSignal,
): Promise<boolean> {
  let found = 0;
  const isComplete = await readAll(chain.buckets({ signal }), limit, (bucket) => {
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

/** What is shown of an object: a list may be long. */
type Listed = Pick<
  ObjectInfo,
  'objectName' | 'id' | 'payloadSize' | 'status' | 'isUpdating' | 'visibility' | 'contentType'
> & { readonly changedAt: number };

/** @returns whether all objects of the bucket were read: the chain has them in no order of names */
async function listObjects(
  { chain }: Session,
  { bucketName, prefix }: { readonly bucketName: string; readonly prefix: string },
  limit: number,
  report: Reporter,
  signal: AbortSignal,
): Promise<boolean> {
  const bucket = await chain.bucket(bucketName, { signal });
  if (!bucket) {
    throw new Terminal({
      code: 'no-such-bucket',
      message: `The chain has no bucket ${bucketName}.`,
      advice: 'Run "sealion ls" to see your buckets.',
    });
  }
  const listed: Listed[] = [];
  const isComplete = await readAll(chain.objects(bucketName, { signal }), limit, (object) => {
    if (object.objectName.startsWith(prefix)) listed.push(shown(object));
  });
  listed.sort((a, b) => (a.objectName < b.objectName ? -1 : 1));
  const width = Math.max(0, ...listed.map(({ payloadSize }) => size(payloadSize).length));
  for (const { objectName, id, payloadSize, ...rest } of listed) {
    report.line(objectLine(bucket, { objectName, id, payloadSize, ...rest }, width), {
      event: 'object',
      name: `${bucketName}/${objectName}`,
      objectId: id,
      bytes: payloadSize,
      ...rest,
    });
  }
  const bytes = listed.reduce((sum, { payloadSize }) => sum + payloadSize, 0);
  const all = `${count(listed.length, 'object')}, ${size(bytes)}`;
  report.line(all, { event: 'listed', objects: listed.length, bytes });
  return isComplete;
}

/** @returns false where there is more than the limit */
async function readAll<T>(
  pages: AsyncIterable<readonly T[]>,
  limit: number,
  use: (item: T) => void,
): Promise<boolean> {
  let read = 0;
  for await (const page of pages) {
    for (const item of page) {
      read += 1;
      if (read > limit) return false;
      use(item);
    }
  }
  return true;
}

function shown(object: ObjectInfo): Listed {
  const { objectName, id, payloadSize, status, isUpdating, visibility, contentType } = object;
  const changedAt = Math.max(object.createdAt, object.updatedAt);
  return { objectName, id, payloadSize, status, isUpdating, visibility, contentType, changedAt };
}

const STATES = { CREATED: 'not sealed', SEALED: 'sealed', DISCONTINUED: 'discontinued' } as const;
const BUCKET_STATES = {
  CREATED: 'in service',
  DISCONTINUED: 'discontinued',
  MIGRATING: 'migrating',
} as const;

function objectLine(bucket: BucketInfo, object: Listed, width: number): string {
  const state = object.isUpdating ? 'being updated' : STATES[object.status];
  const who =
    object.visibility === 'INHERIT'
      ? `${visibility(bucket.visibility)} (as its bucket)`
      : visibility(object.visibility);
  return [
    size(object.payloadSize).padStart(width),
    state.padEnd(13),
    timestamp(object.changedAt),
    who.padEnd(28),
    `${bucket.bucketName}/${object.objectName}`,
  ].join('  ');
}

function bucketLine(bucket: BucketInfo, spId: number | undefined): string {
  return [
    BUCKET_STATES[bucket.status].padEnd(12),
    timestamp(bucket.createdAt),
    visibility(bucket.visibility).padEnd(11),
    (spId === undefined ? 'sp unknown' : `sp ${spId}`).padEnd(10),
    bucket.bucketName,
  ].join('  ');
}

function visibility(of: Visibility): string {
  return of.toLowerCase().replace('_', '-');
}

function cut(what: string, limit: number): Terminal {
  return new Terminal({
    code: 'list-cut',
    message: `Only ${limit} ${what} were read, and there are more.`,
    advice: 'Read more of them with a higher --limit.',
  });
}
