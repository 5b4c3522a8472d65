import { toSealionError } from '../protocols/errors.ts';
import { formatJobId } from '../protocols/job/identity.ts';
import type { Behaviour, Context, Ended, Outcome, Ref, Reply } from '../runtime/actors/types.ts';
import type { InboundOffer } from '../runtime/peers/peers.ts';
import type { ColumnId, ColumnRecord } from './column/record.ts';
import { eraser, receiver } from './receiver.ts';
import type { SecondaryPorts } from './secondary-ports.ts';

export type ReceiversMessage =
  /** The caretaker has found a column that is needed no more. False: it is at work, so not now. */
  {
    readonly type: 'discard-column';
    readonly record: ColumnRecord;
    readonly because: string;
    readonly reply: Reply<boolean>;
  };

type Message =
  | ReceiversMessage
  | { readonly type: 'offer'; readonly inbound: InboundOffer }
  | { readonly type: 'receiver-ended'; readonly inbound: InboundOffer; readonly end: Ended }
  | { readonly type: 'eraser-ended'; readonly reply: Reply<boolean>; readonly end: Ended }
  | { readonly type: 'pull-ended'; readonly outcome: Outcome<void> };

export interface ReceiversOptions {
  readonly ports: SecondaryPorts;
  /** Columns received at once. */
  readonly limit: number;
}

/** When the offer of a receiver that failed without a word comes again, ms. */
const REDELIVER_MS = 5_000;

/** Pulls the offers of other SPs and has one receiver per column at work. */
export function receivers({ ports, limit }: ReceiversOptions): Behaviour<ReceiversMessage, { open: number }> {
  const behaviour: Behaviour<Message, { open: number }> = {
    kind: 'receivers',
    start(ctx) {
      ctx.say({ doing: 'pulling offers', waitsFor: 'other storage providers' });
      ctx.pipe(
        async (signal) => {
          for await (const inbound of ports.host.offers({ limit, signal })) {
            if (!ctx.self.tell({ type: 'offer', inbound })) await inbound.postpone(REDELIVER_MS);
          }
        },
        (outcome) => ({ type: 'pull-ended', outcome }),
      );
      return { open: 0 };
    },

    async receive(state, message, ctx) {
      switch (message.type) {
        case 'offer':
          if (take(message.inbound, ctx)) state.open += 1;
          break;
        case 'receiver-ended':
          state.open -= 1;
          // settled long ago, unless it failed where it should not
          if (message.end.how === 'failed') await message.inbound.postpone(REDELIVER_MS);
          break;
        case 'discard-column':
          discard(message, ctx);
          break;
        case 'eraser-ended': {
          const { end, reply } = message;
          if (end.error) reply.reject(end.error);
          else reply.resolve(true);
          break;
        }
        case 'pull-ended':
          // offers end only with us; anything else restarts the pull
          throw toSealionError(
            message.outcome.ok ? new Error('the offers have ended') : message.outcome.error,
          );
      }
      ctx.say({ doing: `${state.open} columns in work`, waitsFor: 'other storage providers' });
      return state;
    },
  };
  return behaviour;

  /** A repeated offer takes the place of the one before it. @returns false when the earlier one must stop first */
  function take(inbound: InboundOffer, ctx: Context<Message>): boolean {
    const name = nameOf(inbound.offer);
    const earlier = ctx.child<never>(name);
    if (earlier) {
      ctx.pipe(
        () => ctx.stop(earlier),
        () => ({ type: 'offer', inbound }),
      );
      return false;
    }
    const ref: Ref<never> = ctx.spawn(name, receiver({ inbound, ports }));
    ctx.watch(ref, (end) => ({ type: 'receiver-ended', inbound, end }));
    return true;
  }

  function discard(
    { record, because, reply }: Extract<ReceiversMessage, { type: 'discard-column' }>,
    ctx: Context<Message>,
  ): void {
    const name = nameOf(record);
    if (ctx.child(name)) {
      reply.resolve(false);
      return;
    }
    const ref: Ref<never> = ctx.spawn(name, eraser({ record, because, ports }));
    ctx.watch(ref, (end) => ({ type: 'eraser-ended', reply, end }));
  }
}

function nameOf({ job, redundancyIndex }: ColumnId): string {
  return `receiver/${formatJobId(job)}/${redundancyIndex}`;
}
