import { type JsonValue, sortedJson } from './sorted-json.ts';

/** Names of the storage module's events (protocols/sealing/README.md#events). */
export const StorageEvent = {
  CREATE_BUCKET: 'greenfield.storage.EventCreateBucket',
  UPDATE_BUCKET_INFO: 'greenfield.storage.EventUpdateBucketInfo',
  TOGGLE_DELEGATED_AGENT: 'greenfield.storage.EventToggleSPAsDelegatedAgent',
  DISCONTINUE_BUCKET: 'greenfield.storage.EventDiscontinueBucket',
  DELETE_BUCKET: 'greenfield.storage.EventDeleteBucket',
  CREATE_OBJECT: 'greenfield.storage.EventCreateObject',
  CANCEL_CREATE_OBJECT: 'greenfield.storage.EventCancelCreateObject',
  UPDATE_OBJECT_INFO: 'greenfield.storage.EventUpdateObjectInfo',
  DISCONTINUE_OBJECT: 'greenfield.storage.EventDiscontinueObject',
  DELETE_OBJECT: 'greenfield.storage.EventDeleteObject',
  UPDATE_OBJECT_CONTENT: 'greenfield.storage.EventUpdateObjectContent',
  UPDATE_OBJECT_CONTENT_SUCCESS: 'greenfield.storage.EventUpdateObjectContentSuccess',
  CANCEL_UPDATE_OBJECT_CONTENT: 'greenfield.storage.EventCancelUpdateObjectContent',
  SEAL_OBJECT: 'greenfield.storage.EventSealObject',
  REJECT_SEAL_OBJECT: 'greenfield.storage.EventRejectSealObject',
  CREATE_GROUP: 'greenfield.storage.EventCreateGroup',
  DELETE_GROUP: 'greenfield.storage.EventDeleteGroup',
  LEAVE_GROUP: 'greenfield.storage.EventLeaveGroup',
  UPDATE_GROUP_MEMBER: 'greenfield.storage.EventUpdateGroupMember',
  SET_TAG: 'greenfield.storage.EventSetTag',
} as const;

/** Names of the payment module's events. */
export const PaymentEvent = {
  ACCOUNT_UPDATE: 'greenfield.payment.EventPaymentAccountUpdate',
  DEPOSIT: 'greenfield.payment.EventDeposit',
  WITHDRAW: 'greenfield.payment.EventWithdraw',
} as const;

/** Names of the permission module's events. */
export const PermissionEvent = {
  PUT_POLICY: 'greenfield.permission.EventPutPolicy',
  DELETE_POLICY: 'greenfield.permission.EventDeletePolicy',
} as const;

/** Names of the sp module's events. */
export const SpEvent = { UPDATE_STATUS: 'greenfield.sp.EventUpdateStorageProviderStatus' } as const;

/** An event in a block's results. */
export interface AbciEvent {
  readonly type: string;
  readonly attributes: readonly { readonly key: string; readonly value: string }[];
}

/**
 * A typed event as the chain writes it: an attribute per field, sorted by key, each value as JSON, so that texts
 * keep their quotes. `fields` go by snake-case name: 64-bit integers as strings, enums by wire name, bytes base64.
 */
export function abciEvent(type: string, fields: Readonly<Record<string, JsonValue>>): AbciEvent {
  const attributes = Object.entries(fields)
    .map(([key, value]) => ({ key, value: sortedJson(value) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return { type, attributes };
}
