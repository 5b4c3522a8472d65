import type { SignedTransaction } from '#protocols/greenfield/transaction';
import type { JobContext } from '#protocols/job/context';
import { captureResult } from '#runtime/actors/capture-result';
import type { Behaviour, Context, Reply } from '#runtime/actors/types';
import type { SubmitPorts } from '../../chain/submit-and-confirm.ts';
import { type SealResult, sealOnChain } from './seal-on-chain.ts';
import { sealOrder } from './seal-order.ts';

export type SealerMessage =
  /** Have the seal of a job signed; all its receipts are present. */
  | { readonly type: 'sign'; readonly context: JobContext; readonly reply: Reply<SignedTransaction> }
  /** Bring the job's signed seal into a block. */
  | {
      readonly type: 'seal';
      readonly context: JobContext;
      readonly isNew: boolean;
      readonly reply: Reply<SealResult>;
    };

type Message = SealerMessage | { readonly type: 'finished' };

/** Aggregates the six signatures, has the seal signed, broadcasts it and watches the chain. */
export function sealer(ports: SubmitPorts): Behaviour<SealerMessage, undefined> {
  const behaviour: Behaviour<Message, undefined> = {
    kind: 'sealer',
    start: () => undefined,
    receive(_state, message, ctx) {
      switch (message.type) {
        case 'sign':
          ctx.say({ doing: 'asking for a signed seal', waitsFor: 'the signer' });
          answer(ctx, message.reply, (signal) => sign(message.context, ports, signal));
          break;
        case 'seal':
          answer(ctx, message.reply, (signal) =>
            sealOnChain(message.context, ports, {
              signal,
              say: (activity) => ctx.say(activity),
              isNew: message.isNew,
            }),
          );
          break;
        case 'finished':
          ctx.say({ doing: 'done', waitsFor: 'the next order' });
      }
      return undefined;
    },
  };
  return behaviour;
}

function answer<R>(ctx: Context<Message>, reply: Reply<R>, work: (signal: AbortSignal) => Promise<R>): void {
  ctx.pipe(
    (signal) => captureResult(reply, work(signal)),
    () => ({ type: 'finished' }),
  );
}

async function sign(
  context: JobContext,
  { signer }: SubmitPorts,
  signal: AbortSignal,
): Promise<SignedTransaction> {
  const order = sealOrder(context);
  return signer.ask<SignedTransaction>((reply) => ({ type: 'sign', order, reply }), { signal });
}
