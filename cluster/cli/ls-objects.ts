import { Terminal } from '#protocols/errors';
import type { BucketInfo, ObjectInfo } from '#protocols/greenfield/types';
import { readUpTo, visibilityText } from './listing.ts';
import type { Reporter } from './reporter.ts';
import type { Session } from './session.ts';
import { count, size, timestamp } from './units.ts';

const STATES = { CREATED: 'not sealed', SEALED: 'sealed', DISCONTINUED: 'discontinued' } as const;

/** What is shown of an object: a list may be long. */
type Listed = Pick<
  ObjectInfo,
  'objectName' | 'id' | 'payloadSize' | 'status' | 'isUpdating' | 'visibility' | 'contentType'
> & { readonly changedAt: number };

/** @returns whether all objects of the bucket were read: the chain has them in no order of names */
export async function listObjects(
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
  const isComplete = await readUpTo(chain.objects(bucketName, { signal }), limit, (object) => {
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

function shown(object: ObjectInfo): Listed {
  const { objectName, id, payloadSize, status, isUpdating, visibility, contentType } = object;
  const changedAt = Math.max(object.createdAt, object.updatedAt);
  return { objectName, id, payloadSize, status, isUpdating, visibility, contentType, changedAt };
}

function objectLine(bucket: BucketInfo, object: Listed, width: number): string {
  const state = object.isUpdating ? 'being updated' : STATES[object.status];
  const who =
    object.visibility === 'INHERIT'
      ? `${visibilityText(bucket.visibility)} (as its bucket)`
      : visibilityText(object.visibility);
  return [
    size(object.payloadSize).padStart(width),
    state.padEnd(13),
    timestamp(object.changedAt),
    who.padEnd(28),
    `${bucket.bucketName}/${object.objectName}`,
  ].join('  ');
}
