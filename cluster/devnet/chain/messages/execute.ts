import type { Message } from '../../../../protocols/greenfield/messages.ts';
import { createBucket } from './buckets.ts';
import type { Context, MessageResponse } from './context.ts';
import { deleteBucket, deleteObject } from './deletions.ts';
import { cancelCreateObject, createObject, delegateCreateObject } from './objects.ts';
import { createPaymentAccount, deposit, withdraw } from './payment.ts';
import { rejectSealObject, sealObject, sealObjectV2 } from './seals.ts';
import { cancelUpdateObjectContent, delegateUpdateObjectContent, updateObjectContent } from './updates.ts';

/** Does what one message asks for. @throws Refusal, and then the caller must drop the context's changes */
export function executeMessage(context: Context, message: Message): MessageResponse {
  switch (message.typeUrl) {
    case '/greenfield.storage.MsgCreateBucket':
      return createBucket(context, message.value);
    case '/greenfield.storage.MsgDeleteBucket':
      return deleteBucket(context, message.value);
    case '/greenfield.storage.MsgCreateObject':
      return createObject(context, message.value);
    case '/greenfield.storage.MsgCancelCreateObject':
      return cancelCreateObject(context, message.value);
    case '/greenfield.storage.MsgDeleteObject':
      return deleteObject(context, message.value);
    case '/greenfield.storage.MsgUpdateObjectContent':
      return updateObjectContent(context, message.value);
    case '/greenfield.storage.MsgCancelUpdateObjectContent':
      return cancelUpdateObjectContent(context, message.value);
    case '/greenfield.storage.MsgSealObject':
      return sealObject(context, message.value);
    case '/greenfield.storage.MsgSealObjectV2':
      return sealObjectV2(context, message.value);
    case '/greenfield.storage.MsgRejectSealObject':
      return rejectSealObject(context, message.value);
    case '/greenfield.storage.MsgDelegateCreateObject':
      return delegateCreateObject(context, message.value);
    case '/greenfield.storage.MsgDelegateUpdateObjectContent':
      return delegateUpdateObjectContent(context, message.value);
    case '/greenfield.payment.MsgCreatePaymentAccount':
      return createPaymentAccount(context, message.value);
    case '/greenfield.payment.MsgDeposit':
      return deposit(context, message.value);
    case '/greenfield.payment.MsgWithdraw':
      return withdraw(context, message.value);
  }
}
