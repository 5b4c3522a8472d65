import * as sp from '@bnb-chain/greenfield-cosmos-types/greenfield/sp/tx.js';
import * as tx from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/tx.js';
import {
  enumeration,
  int64,
  list,
  nested,
  nestedList,
  string,
  timestamp,
  uint64,
  type ValuesOf,
} from './fields.ts';
import { messageType, visibility } from './message-type.ts';

/** Names of `permission.ActionType`. */
const action = enumeration({
  UNSPECIFIED: 'ACTION_UNSPECIFIED',
  UPDATE_BUCKET_INFO: 'ACTION_UPDATE_BUCKET_INFO',
  DELETE_BUCKET: 'ACTION_DELETE_BUCKET',
  CREATE_OBJECT: 'ACTION_CREATE_OBJECT',
  DELETE_OBJECT: 'ACTION_DELETE_OBJECT',
  COPY_OBJECT: 'ACTION_COPY_OBJECT',
  GET_OBJECT: 'ACTION_GET_OBJECT',
  EXECUTE_OBJECT: 'ACTION_EXECUTE_OBJECT',
  LIST_OBJECT: 'ACTION_LIST_OBJECT',
  UPDATE_GROUP_MEMBER: 'ACTION_UPDATE_GROUP_MEMBER',
  DELETE_GROUP: 'ACTION_DELETE_GROUP',
  UPDATE_OBJECT_INFO: 'ACTION_UPDATE_OBJECT_INFO',
  UPDATE_GROUP_EXTRA: 'ACTION_UPDATE_GROUP_EXTRA',
  UPDATE_GROUP_INFO: 'ACTION_UPDATE_GROUP_INFO',
  UPDATE_OBJECT_CONTENT: 'ACTION_UPDATE_OBJECT_CONTENT',
  ALL: 'ACTION_TYPE_ALL',
});

const effect = enumeration({
  UNSPECIFIED: 'EFFECT_UNSPECIFIED',
  ALLOW: 'EFFECT_ALLOW',
  DENY: 'EFFECT_DENY',
});

const principal = nested({
  type: enumeration({
    UNSPECIFIED: 'PRINCIPAL_TYPE_UNSPECIFIED',
    ACCOUNT: 'PRINCIPAL_TYPE_GNFD_ACCOUNT',
    GROUP: 'PRINCIPAL_TYPE_GNFD_GROUP',
  }),
  value: string,
});

const statement = {
  effect,
  actions: list(action),
  resources: list(string),
  expirationTime: timestamp,
  limitSize: nested({ value: uint64 }),
} as const;

/** One rule of a policy. Resources are regular expressions over resource names. */
export type Statement = ValuesOf<typeof statement>;

const namedGroup = { operator: string, groupOwner: string, groupName: string } as const;

/** Rows of `MESSAGE_TYPES`: who may do what, and what else of buckets, objects and providers can be changed. */
export const ACCESS_MESSAGE_TYPES = {
  '/greenfield.storage.MsgPutPolicy': messageType(tx.MsgPutPolicy, 'operator', 2400, {
    operator: string,
    principal,
    resource: string,
    statements: nestedList(statement),
    expirationTime: timestamp,
  }),
  '/greenfield.storage.MsgDeletePolicy': messageType(tx.MsgDeletePolicy, 'operator', 1200, {
    operator: string,
    principal,
    resource: string,
  }),
  '/greenfield.storage.MsgCreateGroup': messageType(tx.MsgCreateGroup, 'creator', 2400, {
    creator: string,
    groupName: string,
    extra: string,
  }),
  '/greenfield.storage.MsgDeleteGroup': messageType(tx.MsgDeleteGroup, 'operator', 1200, {
    operator: string,
    groupName: string,
  }),
  '/greenfield.storage.MsgLeaveGroup': messageType(tx.MsgLeaveGroup, 'member', 1200, {
    member: string,
    groupOwner: string,
    groupName: string,
  }),
  '/greenfield.storage.MsgUpdateGroupMember': messageType(tx.MsgUpdateGroupMember, 'operator', 1200, {
    ...namedGroup,
    membersToAdd: nestedList({ member: string, expirationTime: timestamp }),
    membersToDelete: list(string),
  }),
  '/greenfield.storage.MsgUpdateObjectInfo': messageType(tx.MsgUpdateObjectInfo, 'operator', 1200, {
    operator: string,
    bucketName: string,
    objectName: string,
    visibility,
  }),
  '/greenfield.storage.MsgUpdateBucketInfo': messageType(tx.MsgUpdateBucketInfo, 'operator', 1200, {
    operator: string,
    bucketName: string,
    chargedReadQuota: nested({ value: uint64 }),
    paymentAddress: string,
    visibility,
  }),
  '/greenfield.storage.MsgSetTag': messageType(tx.MsgSetTag, 'operator', 1200, {
    operator: string,
    resource: string,
    tags: nested({ tags: nestedList({ key: string, value: string }, 'kept') }),
  }),
  '/greenfield.storage.MsgToggleSPAsDelegatedAgent': messageType(
    tx.MsgToggleSPAsDelegatedAgent,
    'operator',
    1200,
    { operator: string, bucketName: string },
  ),
  '/greenfield.storage.MsgDiscontinueObject': messageType(tx.MsgDiscontinueObject, 'operator', 2400, {
    operator: string,
    bucketName: string,
    objectIds: list(string),
    reason: string,
  }),
  '/greenfield.storage.MsgDiscontinueBucket': messageType(tx.MsgDiscontinueBucket, 'operator', 2400, {
    operator: string,
    bucketName: string,
    reason: string,
  }),
  '/greenfield.sp.MsgUpdateStorageProviderStatus': messageType(
    sp.MsgUpdateStorageProviderStatus,
    'spAddress',
    1200,
    {
      spAddress: string,
      status: enumeration({
        IN_SERVICE: 'STATUS_IN_SERVICE',
        IN_JAILED: 'STATUS_IN_JAILED',
        GRACEFUL_EXITING: 'STATUS_GRACEFUL_EXITING',
        IN_MAINTENANCE: 'STATUS_IN_MAINTENANCE',
        FORCED_EXITING: 'STATUS_FORCED_EXITING',
      }),
      duration: int64,
    },
  ),
} as const;
