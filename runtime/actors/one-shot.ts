import type { Behaviour, Context, Outcome } from './types.ts';

interface Finished {
  readonly type: 'finished';
  readonly outcome: Outcome<void>;
}

/** An actor that does one piece of work, then ends. A failure of the work is a failure of the actor. */
export function oneShot(
  kind: string,
  work: (ctx: Context<never>, signal: AbortSignal) => Promise<void>,
): Behaviour<Finished, undefined> {
  return {
    kind,
    start(ctx) {
      ctx.pipe(
        (signal) => work(ctx, signal),
        (outcome) => ({ type: 'finished', outcome }),
      );
      return undefined;
    },
    receive(_state, { outcome }, ctx) {
      if (!outcome.ok) throw outcome.error;
      ctx.stopSelf();
      return undefined;
    },
  };
}
