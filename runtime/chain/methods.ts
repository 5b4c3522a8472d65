import {
  QueryMsgGasParamsRequest,
  QueryMsgGasParamsResponse,
} from '@bnb-chain/greenfield-cosmos-types/cosmos/gashub/v1beta1/query.js';
import {
  QueryStorageProvidersRequest,
  QueryStorageProvidersResponse,
} from '@bnb-chain/greenfield-cosmos-types/greenfield/sp/query.js';
import * as storage from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/query.js';
import * as virtualgroup from '@bnb-chain/greenfield-cosmos-types/greenfield/virtualgroup/query.js';
import { method } from './query.ts';

/**
 * The queries that Sealion sends to a Greenfield node, with the texts by which each says "not found"
 * (protocols/greenfield/README.md#rpc-of-a-node). Those that a node mostly has no use for are beside their only user, which
 * is loaded when it is needed: `accounts.ts`, `transactions.ts`.
 */
const NO_BUCKET = /No such bucket/;
const NO_OBJECT = /No such (object|bucket)/;
const NO_FAMILY = /global virtual group family not exist/;
const NO_GVG = /global virtual group not exist/;

export const MsgGasParams = method({
  path: '/cosmos.gashub.v1beta1.Query/MsgGasParams',
  request: QueryMsgGasParamsRequest,
  response: QueryMsgGasParamsResponse,
});

export const StorageProviders = method({
  path: '/greenfield.sp.Query/StorageProviders',
  request: QueryStorageProvidersRequest,
  response: QueryStorageProvidersResponse,
});

export const ParamsByTimestamp = method({
  path: '/greenfield.storage.Query/QueryParamsByTimestamp',
  request: storage.QueryParamsByTimestampRequest,
  response: storage.QueryParamsByTimestampResponse,
});

export const HeadBucket = method({
  path: '/greenfield.storage.Query/HeadBucket',
  request: storage.QueryHeadBucketRequest,
  response: storage.QueryHeadBucketResponse,
  missing: NO_BUCKET,
});

export const ListBuckets = method({
  path: '/greenfield.storage.Query/ListBuckets',
  request: storage.QueryListBucketsRequest,
  response: storage.QueryListBucketsResponse,
});

export const ListObjects = method({
  path: '/greenfield.storage.Query/ListObjects',
  request: storage.QueryListObjectsRequest,
  response: storage.QueryListObjectsResponse,
});

export const HeadObject = method({
  path: '/greenfield.storage.Query/HeadObject',
  request: storage.QueryHeadObjectRequest,
  response: storage.QueryHeadObjectResponse,
  missing: NO_OBJECT,
});

export const HeadObjectById = method({
  path: '/greenfield.storage.Query/HeadObjectById',
  request: storage.QueryHeadObjectByIdRequest,
  response: storage.QueryHeadObjectResponse,
  missing: NO_OBJECT,
});

export const HeadShadowObject = method({
  path: '/greenfield.storage.Query/HeadShadowObject',
  request: storage.QueryHeadShadowObjectRequest,
  response: storage.QueryHeadShadowObjectResponse,
  missing: NO_OBJECT,
});

export const VerifyPermission = method({
  path: '/greenfield.storage.Query/VerifyPermission',
  request: storage.QueryVerifyPermissionRequest,
  response: storage.QueryVerifyPermissionResponse,
  missing: NO_OBJECT,
});

export const Family = method({
  path: '/greenfield.virtualgroup.Query/GlobalVirtualGroupFamily',
  request: virtualgroup.QueryGlobalVirtualGroupFamilyRequest,
  response: virtualgroup.QueryGlobalVirtualGroupFamilyResponse,
  missing: NO_FAMILY,
});

export const Families = method({
  path: '/greenfield.virtualgroup.Query/GlobalVirtualGroupFamilies',
  request: virtualgroup.QueryGlobalVirtualGroupFamiliesRequest,
  response: virtualgroup.QueryGlobalVirtualGroupFamiliesResponse,
});

export const Gvg = method({
  path: '/greenfield.virtualgroup.Query/GlobalVirtualGroup',
  request: virtualgroup.QueryGlobalVirtualGroupRequest,
  response: virtualgroup.QueryGlobalVirtualGroupResponse,
  missing: NO_GVG,
});

export const GvgsOfFamily = method({
  path: '/greenfield.virtualgroup.Query/GlobalVirtualGroupByFamilyID',
  request: virtualgroup.QueryGlobalVirtualGroupByFamilyIDRequest,
  response: virtualgroup.QueryGlobalVirtualGroupByFamilyIDResponse,
  missing: NO_FAMILY,
});

export const VirtualGroupParams = method({
  path: '/greenfield.virtualgroup.Query/Params',
  request: virtualgroup.QueryParamsRequest,
  response: virtualgroup.QueryParamsResponse,
});
