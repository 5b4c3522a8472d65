import { Retryable, toSealionError } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import { captureResult } from '#runtime/actors/capture-result';
import { oneShot } from '#runtime/actors/one-shot';
import type { Behaviour, Ref } from '#runtime/actors/types';
import type { ColumnOffer, InboundOffer } from '#runtime/peers/peers';
import type { Repeats } from '#runtime/telemetry/repeats';
import type { ReceptionMessage } from '../messages.ts';
import type { ApproverAnswer, ApproverMessage } from './approver.ts';
import { Reception } from './column/reception.ts';
import { type CheckedTask, TaskReception } from './column/task-reception.ts';
import type { SecondaryPorts } from './ports.ts';

export interface ReceiverOptions {
  readonly inbound: InboundOffer;
  readonly ports: SecondaryPorts;
  readonly refusals: Repeats;
}

/**
 * The secondary's side of one column: receives it, and answers with a receipt or says why not. When it is stopped,
 * the offer goes to another node.
 */
export function receiver({ inbound, ports, refusals }: ReceiverOptions): Behaviour<never, undefined> {
  return oneShot('receiver', async (ctx, signal) => {
    const reception = new Reception({ inbound, ports, signal, say: (activity) => ctx.say(activity) });
    try {
      const receipt = await reception.receipt();
      ctx.say({ doing: 'sending the receipt' });
      await inbound.receipt(receipt);
      ctx.log.info(holding(inbound.offer), HOLDING);
    } catch (thrown) {
      const { kind, code, message } = toSealionError(thrown);
      if (kind === 'cancelled') {
        await inbound.postpone(0);
      } else {
        refusals.warn(`SP ${inbound.offer.from}`, thrown, 'refused an offer');
        await inbound.refuse({ code, reason: message, again: kind === 'retryable' });
      }
    } finally {
      reception.close();
    }
  });
}

export interface TaskReceiverOptions {
  readonly message: ReceptionMessage;
  readonly checked: CheckedTask;
  readonly ports: SecondaryPorts;
  readonly approver: Ref<ApproverMessage>;
  readonly refusals: Repeats;
}

export const TASK_REFUSED = 'refused a receive task';

/** Does what one task of the HTTP wire asks for, and answers it. */
export function taskReceiver(options: TaskReceiverOptions): Behaviour<never, undefined> {
  const { message, checked, ports, approver, refusals } = options;
  return oneShot('receiver', async (ctx, signal) => {
    const reception = new TaskReception({
      ...checked,
      ports,
      signal,
      say: (activity) => ctx.say(activity),
      admit: () => admit(checked, approver, signal),
    });
    const { counts } = ports;
    const { from } = checked.offer;
    const refused = (error: unknown) => {
      counts.failed('columnsIn', from, 'http', error);
      refusals.warn(`SP ${from}`, error, TASK_REFUSED);
      throw error;
    };
    if (message.type === 'receive-piece') {
      const received = reception.piece(message.body).then(() => {
        counts.bytes('columnsIn', from, 'http', message.task.pieceSize);
      });
      await captureResult(message.reply, received.catch(refused));
    } else {
      const finished = reception.finish().then((result) => {
        counts.done('columnsIn', from, 'http');
        ctx.log.info(holding(checked.offer), HOLDING);
        return result;
      });
      await captureResult(message.reply, finished.catch(refused));
    }
  });
}

/** Log message of the secondary, written once for each column. */
const HOLDING = 'stored and signed for a column';
function holding({ job, from, redundancyIndex }: ColumnOffer): object {
  return { job: formatJobId(job), from, column: redundancyIndex };
}

/** The HTTP wire has no approvals: a column is accepted only if we would have given one. */
async function admit(
  { offer, place }: CheckedTask,
  approver: Ref<ApproverMessage>,
  signal: AbortSignal,
): Promise<void> {
  const { id: gvgId, secondarySpIds } = place.gvg;
  const ask = { ...offer, primarySpId: offer.from, groups: [{ gvgId, secondarySpIds }] };
  const answer = await approver.ask<ApproverAnswer>((reply) => ({ type: 'ask', ask, reply }), { signal });
  const refusal = answer?.refused[0];
  if (!refusal) return;
  throw new Retryable({
    code: 'column-refused',
    message: `No column is accepted now: ${refusal.reason}`,
    gatewayCode: 60003,
  });
}
