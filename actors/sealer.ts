import type { JobContext, SignedTransaction } from '../protocols/job/context.ts';
import type { Behaviour, Outcome, Ref } from '../runtime/actors/types.ts';
import type { PrimaryPorts } from './ports.ts';
import { type SealResult, sealOnChain } from './seal-on-chain.ts';
import { sealOrder } from './seal-order.ts';

/** What the object actor hears of its sealer. */
export type SealerReport =
  | { readonly type: 'signed'; readonly outcome: Outcome<SignedTransaction> }
  | { readonly type: 'seal-watched'; readonly outcome: Outcome<SealResult> };

export type SealerMessage =
  | { readonly type: 'sign'; readonly context: JobContext }
  | { readonly type: 'seal'; readonly context: JobContext }
  | { readonly type: 'report'; readonly report: SealerReport };

export interface SealerOptions {
  readonly ports: Pick<PrimaryPorts, 'chain' | 'signer' | 'timing'>;
  readonly parent: Ref<SealerReport>;
}

/** Aggregates the six signatures, has the seal signed, broadcasts it and watches the chain. */
export function sealer({ ports, parent }: SealerOptions): Behaviour<SealerMessage, undefined> {
  return {
    kind: 'sealer',
    start: () => undefined,
    receive(_state, message, ctx) {
      switch (message.type) {
        case 'sign':
          ctx.say({ doing: 'asking for a signed seal', waitsFor: 'the signer' });
          ctx.pipe(
            async (signal) =>
              ports.signer.ask<SignedTransaction>(
                (reply) => ({ type: 'sign', order: sealOrder(message.context), reply }),
                { signal },
              ),
            (outcome) => ({ type: 'report', report: { type: 'signed', outcome } }),
          );
          break;
        case 'seal':
          ctx.pipe(
            (signal) => sealOnChain(message.context, ports, { signal, say: (activity) => ctx.say(activity) }),
            (outcome) => ({ type: 'report', report: { type: 'seal-watched', outcome } }),
          );
          break;
        case 'report':
          parent.tell(message.report);
      }
      return undefined;
    },
  };
}
