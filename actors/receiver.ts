import { toSealionError } from '../protocols/errors.ts';
import type { Behaviour } from '../runtime/actors/types.ts';
import type { InboundOffer } from '../runtime/peers/peers.ts';
import { Reception } from './column/reception.ts';
import { type ColumnRecord, Columns } from './column/record.ts';
import { oneShot } from './one-shot.ts';
import type { SecondaryPorts } from './secondary-ports.ts';

export interface ReceiverOptions {
  readonly inbound: InboundOffer;
  readonly ports: SecondaryPorts;
}

/**
 * The secondary's side of one column: receives it, and answers with a receipt or says why not. One that is stopped
 * leaves its offer to another node.
 */
export function receiver({ inbound, ports }: ReceiverOptions): Behaviour<never, undefined> {
  return oneShot('receiver', async (ctx, signal) => {
    const reception = new Reception({ inbound, ports, signal, say: (activity) => ctx.say(activity) });
    try {
      const receipt = await reception.receipt();
      ctx.say({ doing: 'sending the receipt' });
      await inbound.receipt(receipt);
    } catch (thrown) {
      const { kind, code, message } = toSealionError(thrown);
      if (kind === 'cancelled') {
        await inbound.postpone(0);
      } else {
        ctx.log.warn({ error: thrown, from: inbound.offer.from }, 'an offer was refused');
        await inbound.refuse({ code, reason: message, again: kind === 'retryable' });
      }
    } finally {
      reception.close();
    }
  });
}

export interface EraserOptions {
  readonly record: ColumnRecord;
  readonly because: string;
  readonly ports: SecondaryPorts;
}

/**
 * Deletes one column, in the receiver's place, so that nobody receives it meanwhile. Leaves one alone that has
 * changed since somebody decided to delete it.
 */
export function eraser({ record, because, ports }: EraserOptions): Behaviour<never, undefined> {
  return oneShot('receiver', async (ctx, signal) => {
    ctx.say({ doing: `deleting the column: ${because}` });
    const columns = new Columns(ports);
    const current = await columns.get(record);
    const unchanged = current?.touchedAt === record.touchedAt && !current.held === !record.held;
    if (current && unchanged) await columns.discard(current, because, signal);
  });
}
