import { checksumAddress } from '#protocols/greenfield/address';
import { SpEvent } from '#protocols/greenfield/events';
import type { MessageValue } from '#protocols/greenfield/messages';
import { Limits } from '../limits.ts';
import { Errors, Refusal } from '../refusal.ts';
import type { Context, MessageResponse } from './context.ts';

/** An SP begins or ends maintenance. @throws Refusal */
export function updateSpStatus(
  { state, height, emit }: Context,
  message: MessageValue<'/greenfield.sp.MsgUpdateStorageProviderStatus'>,
): MessageResponse {
  const operator = checksumAddress(message.spAddress);
  const sp = state.sps.find(({ operatorAddress }) => operatorAddress === operator);
  if (!sp) throw new Refusal(Errors.SP_NOT_FOUND);
  const { status } = message;
  if (status === sp.status) throw new Refusal(Errors.SP_NOT_CHANGED);
  if (sp.status === 'IN_SERVICE' && status === 'IN_MAINTENANCE') {
    const quota = BigInt(Limits.MAINTENANCE_QUOTA);
    if (message.duration > quota) {
      throw new Refusal(
        Errors.SP_STATUS_NOT_ALLOWED,
        `not enough quota, quota=${quota} is less than requested=${message.duration}`,
      );
    }
    const began = state.maintenanceBegan(sp.id);
    if (began !== undefined && height < began + Limits.MAINTENANCE_LOCKUP) {
      throw new Refusal(
        Errors.SP_STATUS_NOT_ALLOWED,
        `wait after block height ${began + Limits.MAINTENANCE_LOCKUP}`,
      );
    }
    state.putMaintenance(sp.id, height);
  } else if (sp.status !== 'IN_MAINTENANCE' || status !== 'IN_SERVICE') {
    throw new Refusal(Errors.SP_STATUS_NOT_ALLOWED);
  }
  state.putSp({ ...sp, status });
  emit(SpEvent.UPDATE_STATUS, {
    sp_id: sp.id,
    sp_address: operator,
    pre_status: `STATUS_${sp.status}`,
    new_status: `STATUS_${status}`,
  });
  return { typeUrl: '/greenfield.sp.MsgUpdateStorageProviderStatusResponse', value: new Uint8Array() };
}
