import type { BucketInfo, ObjectInfo } from '../../../protocols/greenfield/types.ts';
import { Action } from '../../../protocols/greenfield/types.ts';

/** Numbers of `permission.ActionType` that anyone may do where the content is public. */
const COPY_OBJECT = 5;
const EXECUTE_OBJECT = 7;
const LIST_OBJECT = 8;
const PUBLIC_OBJECT: readonly number[] = [Action.GET_OBJECT, COPY_OBJECT, EXECUTE_OBJECT];
const PUBLIC_BUCKET: readonly number[] = [...PUBLIC_OBJECT, LIST_OBJECT];

/** The stand-in knows no policies and no groups: the owner may do everything, others read what is public. */
export function allowedOnBucket(account: string, bucket: BucketInfo, action: number): boolean {
  if (bucket.visibility === 'PUBLIC_READ' && PUBLIC_BUCKET.includes(action)) return true;
  return account === bucket.owner;
}

export function allowedOnObject(
  account: string,
  bucket: BucketInfo,
  object: ObjectInfo,
  action: number,
): boolean {
  const visibility = object.visibility === 'INHERIT' ? bucket.visibility : object.visibility;
  if (visibility === 'PUBLIC_READ' && PUBLIC_OBJECT.includes(action)) return true;
  return account === object.owner;
}
