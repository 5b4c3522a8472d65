import test from 'ava';
import fc from 'fast-check';
import { Cancelled, Retryable, Terminal } from '#protocols/errors';
import { silentLogger } from '../telemetry/logger.ts';
import { createActorSystem } from './system.ts';
import { row } from './testing.ts';
import type { Behaviour, Directive, Ref } from './types.ts';

/**
 * Random trees under random orders, failures and stops. In every order: no rejection is unhandled, no actor overlaps
 * with itself or an older incarnation under its path, no parent ends before a child, and every message is either
 * handled or becomes a dead letter.
 */
type Order =
  | { readonly type: 'fail'; readonly error: 'retryable' | 'terminal' | 'cancelled' }
  | { readonly type: 'spawn'; readonly name: string; readonly kind: string }
  | { readonly type: 'pass'; readonly name: string; readonly order: Order }
  | { readonly type: 'stop-child'; readonly name: string }
  | { readonly type: 'stop-self' }
  | { readonly type: 'pipe'; readonly fails: boolean; readonly order: Order }
  | { readonly type: 'rest' };

/** `letter` comes from another actor, `own` from the actor itself; only the latter may be dropped at its end. */
type Message = { readonly type: 'letter' | 'own'; readonly order: Order };

const errors = {
  retryable: () => new Retryable({ code: 'r', message: 'r' }),
  terminal: () => new Terminal({ code: 't', message: 't' }),
  cancelled: () => new Cancelled({ code: 'c', message: 'c' }),
};

class Watchman {
  readonly problems: string[] = [];
  letters = 0;
  handled = 0;
  readonly #running = new Map<string, number>();
  readonly #alive = new Map<string, number>();

  tell(ref: Ref<Message> | undefined, order: Order): boolean {
    if (!ref) return false;
    this.letters += 1;
    return ref.tell({ type: 'letter', order });
  }

  begin(path: string): void {
    this.#alive.set(path, (this.#alive.get(path) ?? 0) + 1);
    if ((this.#alive.get(path) ?? 0) > 1) this.problems.push(`two incarnations of ${path}`);
  }

  end(path: string): void {
    this.#alive.set(path, (this.#alive.get(path) ?? 0) - 1);
    for (const [other, count] of this.#alive) {
      if (count > 0 && other.startsWith(`${path}/`)) this.problems.push(`${path} ended before ${other}`);
    }
  }

  async alone(path: string, work: () => Promise<void>): Promise<void> {
    if (this.#running.get(path)) this.problems.push(`two handlers of ${path}`);
    this.#running.set(path, 1);
    try {
      await work();
    } finally {
      this.#running.set(path, 0);
    }
  }
}

const pause = (signal?: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal?.aborted) resolve();
    else setImmediate(resolve);
  });

function wild(kind: string, watchman: Watchman): Behaviour<Message, void> {
  return {
    kind,
    mailboxLimit: 4,
    start: async (ctx) => {
      watchman.begin(ctx.self.path);
      await pause();
    },
    receive: (_, { type, order }, ctx) =>
      watchman.alone(ctx.self.path, async () => {
        if (type === 'letter') watchman.handled += 1;
        await pause(ctx.signal);
        switch (order.type) {
          case 'fail':
            throw errors[order.error]();
          case 'spawn':
            ctx.spawn(order.name, wild(order.kind, watchman));
            break;
          case 'pass':
            watchman.tell(ctx.child<Message>(order.name), order.order);
            break;
          case 'stop-child': {
            const child = ctx.child<Message>(order.name);
            if (child) await ctx.stop(child);
            break;
          }
          case 'stop-self':
            ctx.stopSelf();
            break;
          case 'pipe':
            ctx.pipe(
              async () => {
                await pause();
                if (order.fails) throw errors.terminal();
              },
              () => ({ type: 'own', order: order.order }),
            );
            break;
          case 'rest':
            ctx.after(0, { type: 'own', order: { type: 'fail', error: 'retryable' } });
            await pause();
        }
      }),
    stopped: async (_, ctx) => {
      await pause();
      watchman.end(ctx.self.path);
    },
  };
}

const directive = fc.constantFrom<Directive>('restart', 'stop', 'escalate', 'resume');
const table = fc
  .array(
    fc.record({
      retryable: directive,
      terminal: directive,
      cancelled: directive,
      beyond: fc.constantFrom('stop' as const, 'escalate' as const),
    }),
    { minLength: 3, maxLength: 3 },
  )
  .map((rows) =>
    Object.fromEntries(
      rows.map(({ beyond, ...over }, i) => [
        `kind${i}`,
        row({ ...over, restarts: { limit: 3, withinMs: 60_000, beyond } }),
      ]),
    ),
  );

const name = fc.constantFrom('a', 'b');
const { order } = fc.letrec<{ order: Order }>((tie) => ({
  order: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({
      type: fc.constant('fail' as const),
      error: fc.constantFrom('retryable', 'terminal', 'cancelled'),
    }),
    fc.record({
      type: fc.constant('spawn' as const),
      name,
      kind: fc.constantFrom('kind0', 'kind1', 'kind2'),
    }),
    fc.record({ type: fc.constant('stop-child' as const), name }),
    fc.record({ type: fc.constant('stop-self' as const) }),
    fc.record({ type: fc.constant('rest' as const) }),
    fc.record({ type: fc.constant('pass' as const), name, order: tie('order') }),
    fc.record({ type: fc.constant('pipe' as const), fails: fc.boolean(), order: tie('order') }),
  ) as fc.Arbitrary<Order>,
}));

test('no order of messages, failures and stops breaks the tree', async (t) => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  t.teardown(() => process.off('unhandledRejection', note));
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.array(fc.tuple(order, fc.nat(3)), { maxLength: 40 }),
      async (supervision, orders) => {
        const watchman = new Watchman();
        const system = createActorSystem({ name: 'wild', supervision, log: silentLogger });
        let deadLetters = 0;
        system.inspect((event) => {
          if (event.type === 'dead-letter') deadLetters += 1;
        });
        let top: Ref<Message> = system.spawn('top', wild('kind0', watchman));
        for (const [next, pauses] of orders) {
          if (!watchman.tell(top, next) && system.tree().children.length === 0) {
            top = system.spawn('top', wild('kind0', watchman));
          }
          for (let i = 0; i < pauses; i += 1) await pause();
        }
        await system.stop();
        if (watchman.handled + deadLetters !== watchman.letters) watchman.problems.push('a letter was lost');
        if (system.tree().children.length > 0) watchman.problems.push('an actor was left');
        if (unhandled.length > 0) watchman.problems.push('a rejection was not handled');
        if (watchman.problems.length > 0) throw new Error(watchman.problems.join('; '));
      },
    ),
    { numRuns: 300 },
  );
  t.deepEqual(unhandled, []);
});
