import type { ReceptionMessage } from '#actors/messages';
import { Cancelled, Retryable, type SealionError, Terminal, toSealionError } from '#protocols/errors';
import { GATEWAY_ERRORS } from '#protocols/greenfield/gateway-errors';
import type { Receipt } from '#protocols/job/context';
import {
  INTEGRITY_HASH_HEADER,
  INTEGRITY_SIGNATURE_HEADER,
  RECEIVE_MESSAGE_HEADER,
  readReceiveMessage,
} from '#protocols/replication/receive-message';
import type { Ref } from '#runtime/actors/types';
import type { GatewayDependencies } from '../dependencies.ts';
import { pacedUpload } from '../request/client-rates.ts';
import { bodyOf, clientSignal, type Handler } from '../request/context.ts';
import { SharedSlots } from '../request/slots.ts';
import { UploadBody } from '../upload/body.ts';

/**
 * `PUT /greenfield/receiver/v1/replicate-piece`: the primary of an object sends a piece of our column or, after the
 * last one, asks for our signature (protocols/replication/README.md#receive-tasks-over-http). The task in the header is
 * signed, the request is not. The answer is 200 with an empty body; the BLS signature is in a header.
 */
export function replicatePiece(
  { limits, metrics }: Pick<GatewayDependencies, 'limits' | 'metrics'>,
  receivers: Ref<ReceptionMessage>,
): Handler {
  const share = Math.max(1, Math.floor(limits.maxReceptions / 4));
  const receptions = new SharedSlots(limits.maxReceptions, share, 'pieces and columns');
  metrics?.watchBound({
    what: 'receptions',
    unit: 'items',
    limit: () => receptions.most,
    used: () => receptions.used,
  });
  return async (c) => {
    const signal = clientSignal(c);
    const task = readReceiveMessage(c.req.header(RECEIVE_MESSAGE_HEADER) ?? '', Date.now());
    const release = receptions.take(task.signer);
    const body = new UploadBody(bodyOf(c), { length: task.pieceSize, limits, signal });
    try {
      if (task.finished) {
        const receipt = await receivers.ask<Receipt>((reply) => ({ type: 'finish-column', task, reply }), {
          signal,
        });
        c.header(INTEGRITY_HASH_HEADER, receipt.integrityHash);
        c.header(INTEGRITY_SIGNATURE_HEADER, receipt.blsSignature);
      } else {
        const piece = pacedUpload(body, c.get('share'), signal);
        await receivers.ask<void>((reply) => ({ type: 'receive-piece', task, body: piece, reply }), {
          signal,
        });
      }
      return c.body(null, 200);
    } catch (error) {
      throw asReceivers(body.failure ?? toSealionError(error));
    } finally {
      c.get('record').bytes = body.received;
      release();
    }
  };
}

/** Gateway codes that differ from those of other operations for the same failure. */
const RECEIVER_CODES: Readonly<Record<string, number>> = {
  'payload-size-mismatch': 80004,
  'client-gone': 50013,
  'client-too-slow': 50013,
  'piece-store-unavailable': 85101,
  'piece-missing': 85101,
  'piece-corrupt': 85101,
  'nats-unavailable': 85201,
  'journal-unavailable': 85201,
  'journal-busy': 85201,
  'journal-closed': 85201,
};

function asReceivers(error: SealionError): SealionError {
  const gatewayCode = RECEIVER_CODES[error.code];
  if (gatewayCode === undefined) return error;
  const message = GATEWAY_ERRORS[gatewayCode]?.message ?? '';
  const facts = { code: error.code, message, gatewayCode, cause: error };
  if (error instanceof Retryable) {
    const { retryAfterMs } = error;
    return new Retryable({ ...facts, ...(retryAfterMs !== undefined && { retryAfterMs }) });
  }
  return error instanceof Cancelled ? new Cancelled(facts) : new Terminal(facts);
}
