import * as payment from '@bnb-chain/greenfield-cosmos-types/greenfield/payment/tx.js';
import * as tx from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/tx.js';
import { Terminal } from '../errors.ts';
import { ACCESS_MESSAGE_TYPES } from './access-messages.ts';
import {
  bytes,
  bytesList,
  enumeration,
  fieldsFromJson,
  fieldsToJson,
  nested,
  string,
  uint32,
  uint64,
  type ValuesOf,
} from './fields.ts';
import { type MessageType, messageType, visibility } from './message-type.ts';

const redundancy = enumeration({ EC: 'REDUNDANCY_EC_TYPE', REPLICA: 'REDUNDANCY_REPLICA_TYPE' });

/** Ignored by the chain since its upgrade Serengeti; clients send it with an empty `sig`. */
const approval = nested({ expiredHeight: uint64, globalVirtualGroupFamilyId: uint32, sig: bytes });

/** What most messages about one object consist of. */
const namedObject = { operator: string, bucketName: string, objectName: string } as const;

/**
 * Every message that Sealion signs or understands, described once: the generated protobuf codec, which field
 * names the signer, the fixed gas (protocols/sealing/README.md#gas-and-fees), and the fields. Plain values, protobuf bytes and EIP-712
 * types all follow from this table; to add a message, add a row.
 */
export const MESSAGE_TYPES = {
  '/greenfield.storage.MsgCreateBucket': messageType(tx.MsgCreateBucket, 'creator', 2400, {
    creator: string,
    bucketName: string,
    visibility,
    paymentAddress: string,
    primarySpAddress: string,
    primarySpApproval: approval,
    chargedReadQuota: uint64,
  }),
  '/greenfield.storage.MsgCreateObject': messageType(tx.MsgCreateObject, 'creator', 1200, {
    creator: string,
    bucketName: string,
    objectName: string,
    payloadSize: uint64,
    visibility,
    contentType: string,
    primarySpApproval: approval,
    expectChecksums: bytesList,
    redundancyType: redundancy,
  }),
  '/greenfield.storage.MsgDeleteBucket': messageType(tx.MsgDeleteBucket, 'operator', 1200, {
    operator: string,
    bucketName: string,
  }),
  '/greenfield.storage.MsgCancelCreateObject': messageType(
    tx.MsgCancelCreateObject,
    'operator',
    1200,
    namedObject,
  ),
  '/greenfield.storage.MsgDeleteObject': messageType(tx.MsgDeleteObject, 'operator', 1200, namedObject),
  '/greenfield.storage.MsgUpdateObjectContent': messageType(tx.MsgUpdateObjectContent, 'operator', 1200, {
    operator: string,
    bucketName: string,
    objectName: string,
    payloadSize: uint64,
    contentType: string,
    expectChecksums: bytesList,
  }),
  '/greenfield.storage.MsgCancelUpdateObjectContent': messageType(
    tx.MsgCancelUpdateObjectContent,
    'operator',
    1200,
    namedObject,
  ),
  '/greenfield.storage.MsgSealObject': messageType(tx.MsgSealObject, 'operator', 120, {
    operator: string,
    bucketName: string,
    objectName: string,
    globalVirtualGroupId: uint32,
    secondarySpBlsAggSignatures: bytes,
  }),
  '/greenfield.storage.MsgSealObjectV2': messageType(tx.MsgSealObjectV2, 'operator', 120, {
    operator: string,
    bucketName: string,
    objectName: string,
    globalVirtualGroupId: uint32,
    secondarySpBlsAggSignatures: bytes,
    expectChecksums: bytesList,
  }),
  '/greenfield.storage.MsgRejectSealObject': messageType(
    tx.MsgRejectSealObject,
    'operator',
    12000,
    namedObject,
  ),
  '/greenfield.storage.MsgDelegateCreateObject': messageType(tx.MsgDelegateCreateObject, 'operator', 1200, {
    operator: string,
    creator: string,
    bucketName: string,
    objectName: string,
    payloadSize: uint64,
    contentType: string,
    visibility,
    expectChecksums: bytesList,
    redundancyType: redundancy,
  }),
  '/greenfield.storage.MsgDelegateUpdateObjectContent': messageType(
    tx.MsgDelegateUpdateObjectContent,
    'operator',
    1200,
    {
      operator: string,
      updater: string,
      bucketName: string,
      objectName: string,
      payloadSize: uint64,
      contentType: string,
      expectChecksums: bytesList,
    },
  ),
  '/greenfield.payment.MsgCreatePaymentAccount': messageType(
    payment.MsgCreatePaymentAccount,
    'creator',
    200_000,
    { creator: string },
  ),
  '/greenfield.payment.MsgDeposit': messageType(payment.MsgDeposit, 'creator', 1200, {
    creator: string,
    to: string,
    amount: string,
  }),
  '/greenfield.payment.MsgWithdraw': messageType(payment.MsgWithdraw, 'creator', 1200, {
    creator: string,
    from: string,
    amount: string,
  }),
  ...ACCESS_MESSAGE_TYPES,
} as const;

type MessageTypes = typeof MESSAGE_TYPES;
export type MessageTypeUrl = keyof MessageTypes;

/** Plain form of the message with the given type URL. */
export type MessageValue<U extends MessageTypeUrl> = ValuesOf<MessageTypes[U]['fields']>;

/** A message with its type URL; the URL determines the fields of `value`. */
export type Message = {
  readonly [U in MessageTypeUrl]: { readonly typeUrl: U; readonly value: MessageValue<U> };
}[MessageTypeUrl];

/** Message as it stands in a transaction (`google.protobuf.Any`). */
export interface AnyMessage {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

export function encodeMessage(message: Message): AnyMessage {
  const { codec, fields } = describe(message.typeUrl);
  const value = codec.encode(codec.fromJSON(fieldsToJson(fields, message.value))).finish();
  return { typeUrl: message.typeUrl, value: Uint8Array.from(value) };
}

/** @throws Terminal `unknown-message` for a type URL outside the table, `bad-message` for bytes that do not fit */
export function decodeMessage(any: AnyMessage): Message {
  if (!Object.hasOwn(MESSAGE_TYPES, any.typeUrl)) {
    throw new Terminal({
      code: 'unknown-message',
      message: `Messages of type "${any.typeUrl}" are not supported.`,
    });
  }
  const typeUrl = any.typeUrl as MessageTypeUrl;
  const { codec, fields } = describe(typeUrl);
  try {
    return { typeUrl, value: fieldsFromJson(fields, codec.toJSON(codec.decode(any.value))) } as Message;
  } catch (cause) {
    if (cause instanceof Terminal) throw cause;
    throw new Terminal({ code: 'bad-message', message: `The bytes are not a valid ${typeUrl}.`, cause });
  }
}

/** The account that must sign the transaction that carries the message. */
export function signerOfMessage(message: Message): string {
  const values: Readonly<Record<string, unknown>> = message.value;
  return values[describe(message.typeUrl).signer] as string;
}

function describe(typeUrl: MessageTypeUrl): MessageType {
  return MESSAGE_TYPES[typeUrl];
}
