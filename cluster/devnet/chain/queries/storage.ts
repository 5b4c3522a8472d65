import { Effect } from '@bnb-chain/greenfield-cosmos-types/greenfield/permission/common.js';
import { GroupMember } from '@bnb-chain/greenfield-cosmos-types/greenfield/permission/types.js';
import * as storage from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/query.js';
import type { BucketInfo as BucketMessage } from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/types.js';
import { checksumAddress, isAddress } from '#protocols/greenfield/address';
import type { BucketInfo, ObjectInfo } from '#protocols/greenfield/types';
import type { Group } from '../access/access-state.ts';
import {
  fromBucket,
  fromGroup,
  fromGvg,
  fromObject,
  fromPendingUpdate,
  fromStorageParams,
} from '../encode.ts';
import { lockFee } from '../payment/prices.ts';
import { allowedOnBucket, allowedOnObject } from '../permission.ts';
import { Errors, Refusal } from '../refusal.ts';
import type { StateReader } from '../state-reader.ts';
import { invalidArgument, type QueryHandler, query } from './query.ts';

/** The storage module's queries (protocols/greenfield/README.md#rpc-of-a-node). */
export const storageQueries: Readonly<Record<string, QueryHandler>> = {
  Params: query(storage.QueryParamsRequest, storage.QueryParamsResponse, ({ committed }) => ({
    params: fromStorageParams(committed.params),
  })),
  // The stand-in's parameters never change, so the current ones are right for any time.
  QueryParamsByTimestamp: query(
    storage.QueryParamsByTimestampRequest,
    storage.QueryParamsByTimestampResponse,
    ({ committed }) => ({ params: fromStorageParams(committed.params) }),
  ),
  HeadBucket: query(
    storage.QueryHeadBucketRequest,
    storage.QueryHeadBucketResponse,
    ({ committed }, { bucketName }) => ({
      bucketInfo: bucketInfo(committed, committed.bucket(bucketName)),
      extraInfo: { isRateLimited: false, flowRateLimit: '0', currentFlowRate: '0' },
    }),
  ),
  HeadBucketById: query(
    storage.QueryHeadBucketByIdRequest,
    storage.QueryHeadBucketResponse,
    ({ committed }, { bucketId }) => ({
      bucketInfo: bucketInfo(committed, committed.bucketById(checkId('bucket', bucketId))),
    }),
  ),
  HeadObject: query(
    storage.QueryHeadObjectRequest,
    storage.QueryHeadObjectResponse,
    ({ committed }, { bucketName, objectName }) =>
      headObject(committed, committed.object(bucketName, objectName)),
  ),
  HeadObjectById: query(
    storage.QueryHeadObjectByIdRequest,
    storage.QueryHeadObjectResponse,
    ({ committed }, { objectId }) => headObject(committed, committed.objectById(checkId('object', objectId))),
  ),
  HeadShadowObject: query(
    storage.QueryHeadShadowObjectRequest,
    storage.QueryHeadShadowObjectResponse,
    ({ committed }, { bucketName, objectName }) => {
      const { id } = objectOf(committed.object(bucketName, objectName));
      const update = committed.pendingUpdate(id);
      if (!update) throw new Refusal(Errors.NO_SUCH_OBJECT);
      return { objectInfo: fromPendingUpdate(id, update) };
    },
  ),
  VerifyPermission: query(
    storage.QueryVerifyPermissionRequest,
    storage.QueryVerifyPermissionResponse,
    ({ committed }, { operator, bucketName, objectName, actionType }) => {
      const account = operator === '' ? '' : addressOf(operator);
      if (bucketName === '') throw new Refusal(Errors.INVALID_PARAMETER, 'No bucket specified');
      const bucket = bucketOf(committed.bucket(bucketName));
      const place = { state: committed, time: Math.floor(committed.head.time / 1000) };
      const allowed =
        objectName === ''
          ? allowedOnBucket(place, account, bucket, actionType)
          : allowedOnObject(
              place,
              account,
              bucket,
              objectOf(committed.object(bucketName, objectName)),
              actionType,
            );
      return { effect: allowed ? Effect.EFFECT_ALLOW : Effect.EFFECT_DENY };
    },
  ),
  HeadGroup: query(
    storage.QueryHeadGroupRequest,
    storage.QueryHeadGroupResponse,
    ({ committed }, { groupOwner, groupName }) => {
      const group = groupOf(committed, groupOwner, groupName);
      return { groupInfo: fromGroup(group, committed.access.tags('GROUP', group.id)) };
    },
  ),
  HeadGroupMember: query(
    storage.QueryHeadGroupMemberRequest,
    storage.QueryHeadGroupMemberResponse,
    ({ committed }, { member, groupOwner, groupName }) => {
      const group = groupOf(committed, groupOwner, groupName);
      const account = addressOf(member);
      if (!committed.access.member(group.id, account)) throw new Refusal(Errors.NO_SUCH_MEMBER);
      return { groupMember: GroupMember.fromPartial({ groupId: group.id, member: account }) };
    },
  ),
  QueryLockFee: query(
    storage.QueryLockFeeRequest,
    storage.QueryLockFeeResponse,
    ({ committed }, { primarySpAddress, payloadSize }) => {
      const address = addressOf(primarySpAddress);
      if (!committed.sps.some(({ operatorAddress }) => operatorAddress === address)) {
        throw new Refusal(Errors.SP_NOT_FOUND);
      }
      return { amount: lockFee(committed, Number(payloadSize.toString())).toString() };
    },
  ),
};

function headObject(state: StateReader, found: ObjectInfo | undefined): storage.QueryHeadObjectResponse {
  const object = objectOf(found);
  const gvg = object.status === 'SEALED' ? state.gvgOf(object) : undefined;
  const objectInfo = fromObject(object, state.access.tags('OBJECT', object.id));
  return gvg ? { objectInfo, globalVirtualGroup: fromGvg(gvg) } : { objectInfo };
}

function bucketInfo(state: StateReader, found: BucketInfo | undefined): BucketMessage {
  const bucket = bucketOf(found);
  return fromBucket(bucket, state.access.tags('BUCKET', bucket.id));
}

function bucketOf(found: BucketInfo | undefined): BucketInfo {
  if (!found) throw new Refusal(Errors.NO_SUCH_BUCKET);
  return found;
}

function objectOf(found: ObjectInfo | undefined): ObjectInfo {
  if (!found) throw new Refusal(Errors.NO_SUCH_OBJECT);
  return found;
}

function groupOf(state: StateReader, owner: string, groupName: string): Group {
  const group = state.access.group(addressOf(owner), groupName);
  if (!group) throw new Refusal(Errors.NO_SUCH_GROUP);
  return group;
}

function checkId(what: string, id: string): string {
  if (!/^[0-9]{1,78}$/.test(id)) throw invalidArgument(`invalid ${what} id`);
  return id;
}

function addressOf(text: string): string {
  if (!isAddress(text)) throw new Refusal(Errors.INVALID_ADDRESS, `invalid operator address (${text})`);
  return checksumAddress(text);
}
