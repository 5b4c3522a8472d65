import type { Message, MessageTypeUrl, MessageValue } from '#protocols/greenfield/messages';
import { updateBucketInfo } from './bucket-info.ts';
import { createBucket } from './buckets.ts';
import type { Context, MessageResponse } from './context.ts';
import { deleteBucket, deleteObject } from './deletions.ts';
import { discontinueBucket, discontinueObject } from './discontinuations.ts';
import { createGroup, deleteGroup, leaveGroup, updateGroupMember } from './groups.ts';
import { setTag, toggleDelegatedAgent, updateObjectInfo } from './infos.ts';
import { cancelCreateObject, createObject, delegateCreateObject } from './objects.ts';
import { createPaymentAccount, deposit, withdraw } from './payment.ts';
import { deletePolicy, putPolicy } from './policies.ts';
import { updateSpStatus } from './providers.ts';
import { rejectSealObject, sealObject, sealObjectV2 } from './seals.ts';
import { cancelUpdateObjectContent, delegateUpdateObjectContent, updateObjectContent } from './updates.ts';

type Handler<U extends MessageTypeUrl> = (context: Context, message: MessageValue<U>) => MessageResponse;

const HANDLERS: { readonly [U in MessageTypeUrl]: Handler<U> } = {
  '/greenfield.storage.MsgCreateBucket': createBucket,
  '/greenfield.storage.MsgDeleteBucket': deleteBucket,
  '/greenfield.storage.MsgUpdateBucketInfo': updateBucketInfo,
  '/greenfield.storage.MsgToggleSPAsDelegatedAgent': toggleDelegatedAgent,
  '/greenfield.storage.MsgDiscontinueBucket': discontinueBucket,
  '/greenfield.storage.MsgCreateObject': createObject,
  '/greenfield.storage.MsgDelegateCreateObject': delegateCreateObject,
  '/greenfield.storage.MsgCancelCreateObject': cancelCreateObject,
  '/greenfield.storage.MsgDeleteObject': deleteObject,
  '/greenfield.storage.MsgUpdateObjectInfo': updateObjectInfo,
  '/greenfield.storage.MsgUpdateObjectContent': updateObjectContent,
  '/greenfield.storage.MsgDelegateUpdateObjectContent': delegateUpdateObjectContent,
  '/greenfield.storage.MsgCancelUpdateObjectContent': cancelUpdateObjectContent,
  '/greenfield.storage.MsgDiscontinueObject': discontinueObject,
  '/greenfield.storage.MsgSealObject': sealObject,
  '/greenfield.storage.MsgSealObjectV2': sealObjectV2,
  '/greenfield.storage.MsgRejectSealObject': rejectSealObject,
  '/greenfield.storage.MsgPutPolicy': putPolicy,
  '/greenfield.storage.MsgDeletePolicy': deletePolicy,
  '/greenfield.storage.MsgCreateGroup': createGroup,
  '/greenfield.storage.MsgDeleteGroup': deleteGroup,
  '/greenfield.storage.MsgLeaveGroup': leaveGroup,
  '/greenfield.storage.MsgUpdateGroupMember': updateGroupMember,
  '/greenfield.storage.MsgSetTag': setTag,
  '/greenfield.payment.MsgCreatePaymentAccount': createPaymentAccount,
  '/greenfield.payment.MsgDeposit': deposit,
  '/greenfield.payment.MsgWithdraw': withdraw,
  '/greenfield.sp.MsgUpdateStorageProviderStatus': updateSpStatus,
};

/** Executes one message. @throws Refusal, after which the caller must drop the context's changes */
export function executeMessage(context: Context, { typeUrl, value }: Message): MessageResponse {
  // The table is complete and each handler fits its message, but the compiler cannot infer that for a variable key.
  return (HANDLERS[typeUrl] as Handler<MessageTypeUrl>)(context, value);
}
