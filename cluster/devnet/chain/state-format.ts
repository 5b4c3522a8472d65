import { toHex } from '#protocols/greenfield/hex';
import { keccak256 } from '#protocols/greenfield/keccak';
import type { StreamRecord } from './records.ts';

/** Which keys hold what; raised when that changes. */
export const STATE_FORMAT = 2;

/** Digits of an id in a key, so that keys are in the order of numbers. */
const ID_DIGITS = 78;

/** Fields of a stream record that JSON cannot hold as numbers. */
export const AMOUNTS = [
  'netflowRate',
  'frozenNetflowRate',
  'staticBalance',
  'bufferBalance',
  'lockBalance',
] as const satisfies readonly (keyof StreamRecord)[];

/** Begins the keys of all buckets' names, which are in the order of their ids. */
export const BUCKET_NAMES = 'bucket-name/';

export function bucketNameKey(id: string): string {
  return `${BUCKET_NAMES}${id.padStart(ID_DIGITS, '0')}`;
}

/** Begins the keys of the ids of a bucket's objects, which are in the order of their names' hashes as on a real node. */
export function objectIds(bucketName: string): string {
  return `object-id/${bucketName}/`;
}

export function objectKey(bucketName: string, objectName: string): string {
  return `${objectIds(bucketName)}${toHex(keccak256(objectName))}`;
}

export function objectCountKey(bucketName: string): string {
  return `object-count/${bucketName}`;
}
