import type { Behaviour, Context, Outcome } from './types.ts';

interface Finished {
  readonly type: 'finished';
  readonly outcome: Outcome<void>;
}

/** An actor that does one piece of work and ends with it, failing as the work fails. */
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
