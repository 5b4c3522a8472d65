import type { RepairMessage } from '#actors/messages';
import { Retryable } from '#protocols/errors';
import { RECOVERY_MESSAGE_HEADER, readRecoveryMessage } from '#protocols/replication/recovery-message';
import type { Ref } from '#runtime/actors/types';
import type { GatewayDependencies } from '../dependencies.ts';
import { clientSignal, type Handler } from '../request/context.ts';
import { Slots } from '../request/slots.ts';

/**
 * `GET /greenfield/recovery/v1/get-piece`: another SP of an object's group fetches a piece to repair what it stores.
 * The task in the header is signed, the request is not. 200 with the bytes of the piece and nothing else.
 */
export function recoverPiece(
  { limits, metrics }: Pick<GatewayDependencies, 'limits' | 'metrics'>,
  repairer: Ref<RepairMessage>,
): Handler {
  const slots = new Slots(limits.maxReceptions, 'pieces');
  metrics?.watchBound({
    what: 'served_pieces',
    unit: 'items',
    limit: () => slots.most,
    used: () => slots.used,
  });
  return async (c) => {
    const signal = clientSignal(c);
    const task = readRecoveryMessage(c.req.header(RECOVERY_MESSAGE_HEADER) ?? '', Date.now());
    const release = take(slots);
    try {
      const bytes = await repairer.ask<Uint8Array>((reply) => ({ type: 'serve-piece', task, reply }), {
        signal,
      });
      c.get('record').bytes = bytes.length;
      return c.body(Uint8Array.from(bytes), 200, { 'Content-Type': 'application/octet-stream' });
    } finally {
      release();
    }
  };
}

/** @throws Retryable 50032 when too many pieces are being served */
function take(slots: Slots): () => void {
  try {
    return slots.take();
  } catch (cause) {
    throw new Retryable({
      code: 'gateway-busy',
      message: 'Too many pieces are already being served.',
      advice: 'Try again in a few seconds.',
      gatewayCode: 50032,
      retryAfterMs: 5_000,
      cause,
    });
  }
}
