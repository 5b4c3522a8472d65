import test from 'ava';
import { Retryable } from '#protocols/errors';
import { silentLogger } from '../telemetry/logger.ts';
import { createActorSystem } from './system.ts';
import { actor, gate, row, testSystem, until } from './testing.ts';
import type { Behaviour, Context, Ref, Reply } from './types.ts';

type Count =
  | { readonly type: 'add'; readonly by: number }
  | { readonly type: 'read'; readonly reply: Reply<number> };

const counter: Behaviour<Count, number> = {
  kind: 'plain',
  start: async () => 0,
  receive: async (state, message) => {
    if (message.type === 'add') return state + message.by;
    message.reply.resolve(state);
    return state;
  },
};

test('messages are handled in order, one at a time, on state that start may load asynchronously', async (t) => {
  const { system } = testSystem(t);
  const ref = system.spawn('counter', counter);
  for (let i = 0; i < 100; i += 1) t.true(ref.tell({ type: 'add', by: 1 }));
  t.is(await ref.ask<number>((reply) => ({ type: 'read', reply })), 100);
});

test('handlers of an actor never overlap, not even across restarts', async (t) => {
  const { system } = testSystem(t);
  let running = 0;
  let most = 0;
  let handled = 0;
  const enter = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  };
  const ref = system.spawn(
    'busy',
    actor<number>(
      async (n) => {
        await enter();
        handled += 1;
        if (n % 3 === 0) throw new Retryable({ code: 'third', message: 'every third fails' });
      },
      { start: enter, stopped: enter },
    ),
  );
  for (let n = 0; n < 60; n += 1) ref.tell(n);
  await until(() => handled === 60);
  t.is(most, 1);
});

test('stop ends children before their parent and resolves after the last stopped hook', async (t) => {
  const { system } = testSystem(t);
  const ended: string[] = [];
  const node = (depth: number): Behaviour<never, void> => ({
    kind: 'plain',
    start: (ctx) => {
      if (depth === 0) return;
      ctx.spawn('a', node(depth - 1));
      ctx.spawn('b', node(depth - 1));
    },
    receive: () => undefined,
    stopped: async (_, ctx) => {
      await new Promise((resolve) => setImmediate(resolve));
      ended.push(ctx.self.path);
    },
  });
  system.spawn('top', node(3));
  await until(() => JSON.stringify(system.tree()).split('"running"').length === 17);
  await system.stop();
  t.is(ended.length, 15);
  for (const [i, path] of ended.entries()) {
    t.false(
      ended.slice(i + 1).some((later) => later.startsWith(`${path}/`)),
      `${path} ended before a child`,
    );
  }
});

test('a stopped parent leaves no child running', async (t) => {
  const { system } = testSystem(t);
  let ticks = 0;
  const child = actor<'tick'>((_, ctx) => {
    ticks += 1;
    ctx.self.tell('tick');
  });
  const parent = system.spawn(
    'parent',
    actor<'leave'>((_, ctx) => ctx.stopSelf(), {
      start: (ctx) => void ctx.spawn('child', child).tell('tick'),
    }),
  );
  await until(() => ticks > 5);
  parent.tell('leave');
  await until(() => system.tree().children.length === 0);
  const before = ticks;
  await new Promise((resolve) => setTimeout(resolve, 30));
  t.is(ticks, before);
});

test('stop aborts the signal, then waits for the running handler and piped work', async (t) => {
  const { system } = testSystem(t);
  const order: string[] = [];
  const aborted = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => setImmediate(resolve), { once: true });
    });
  const begun = gate();
  const ref = system.spawn(
    'slow',
    actor<'go'>(
      async (_, ctx) => {
        ctx.pipe(
          async (signal) => {
            await aborted(signal);
            order.push('piped work ended');
          },
          () => 'go',
        );
        begun.open();
        await aborted(ctx.signal);
        order.push('handler ended');
      },
      { stopped: () => void order.push('stopped') },
    ),
  );
  ref.tell('go');
  ref.tell('go');
  await begun.opened;
  await system.stop();
  t.deepEqual(order.toSorted(), ['handler ended', 'piped work ended', 'stopped']);
  t.is(order.at(-1), 'stopped');
});

test('a parent can stop a child and reuse its name once it has ended', async (t) => {
  const { system } = testSystem(t);
  const hold = gate();
  const begun = gate();
  const seen: string[] = [];
  const slow = actor<string>(async (message) => {
    begun.open();
    await hold.opened;
    seen.push(message);
  });
  type Parent = { readonly type: 'replace'; readonly reply: Reply<Ref<string>> };
  let old: Ref<string> | undefined;
  const parent = system.spawn<Parent, void>('parent', {
    kind: 'plain',
    start: (ctx) => {
      old = ctx.spawn('child', slow);
      old.tell('first');
    },
    receive: async (_, { reply }, ctx) => {
      const stopping = ctx.stop(ctx.child('child') as Ref<string>);
      t.throws(() => ctx.spawn('child', slow), { code: 'name-taken' });
      hold.open();
      await stopping;
      reply.resolve(ctx.spawn('child', slow));
    },
  });
  await begun.opened;
  const fresh = await parent.ask<Ref<string>>((reply) => ({ type: 'replace', reply }));
  t.deepEqual(seen, ['first']);
  t.false(old?.tell('to the old one'));
  t.true(fresh.tell('to the new one'));
  await until(() => seen.length === 2);
  t.deepEqual(seen, ['first', 'to the new one']);
  t.true(fresh.incarnation > (old?.incarnation ?? 0));
});

test('a failing stopped hook is reported and does not prevent the end', async (t) => {
  const { system, events } = testSystem(t);
  system.spawn(
    'top',
    actor<never>(() => undefined, {
      stopped: () => {
        throw new Error('cannot close');
      },
    }),
  );
  await until(() => system.tree().children[0]?.status === 'running');
  await system.stop();
  t.true(events.some((e) => e.type === 'failed' && e.error.message.includes('cannot close')));
  t.true(events.some((e) => e.type === 'stopped' && e.how === 'stopped'));
});

test('an actor stopped before its start never starts', async (t) => {
  const { system } = testSystem(t);
  const calls: string[] = [];
  system.spawn(
    'top',
    actor<never>(() => undefined, {
      start: () => void calls.push('start'),
      stopped: () => void calls.push('stopped'),
    }),
  );
  await system.stop();
  t.deepEqual(calls, []);
});

test('stopSelf lets the current handler finish undisturbed; later messages are dead letters', async (t) => {
  const { system, events } = testSystem(t);
  const done = gate();
  const ref = system.spawn(
    'leaver',
    actor<'go' | 'late'>(async (_, ctx) => {
      ctx.stopSelf();
      t.false(ctx.self.tell('late'));
      await new Promise((resolve) => setImmediate(resolve));
      t.false(ctx.signal.aborted);
      done.open();
    }),
  );
  ref.tell('go');
  ref.tell('late');
  await done.opened;
  await until(() => system.tree().children.length === 0);
  t.is(events.filter((e) => e.type === 'dead-letter' && e.reason === 'stopped').length, 2);
});

test('timers and piped work of an ended incarnation send nothing to the next', async (t) => {
  const { system } = testSystem(t);
  const seen: string[] = [];
  let incarnations = 0;
  const late = gate();
  const ref = system.spawn(
    'orderer',
    actor<string>(
      (message) => {
        seen.push(message);
        if (message === 'fail') throw new Retryable({ code: 'x', message: 'x' });
      },
      {
        start: (ctx) => {
          incarnations += 1;
          if (incarnations > 1) return;
          ctx.after(0, 'timer');
          ctx.pipe(
            () => late.opened,
            () => 'piped',
          );
        },
      },
    ),
  );
  ref.tell('fail');
  await until(() => seen.includes('fail'));
  ref.tell('waited');
  late.open();
  await until(() => seen.includes('waited'));
  t.is(incarnations, 2);
  t.false(seen.includes('piped'));
});

test('after sends once unless cancelled, and rejects delays beyond the range of timers', async (t) => {
  const { system } = testSystem(t);
  const seen: string[] = [];
  system.spawn(
    'timed',
    actor<string>((message) => void seen.push(message), {
      start: (ctx) => {
        ctx.after(2, 'second');
        ctx.after(1, 'cancelled')();
        ctx.after(1, 'first');
        t.throws(() => ctx.after(2 ** 31, 'never'), { code: 'bad-delay' });
        t.throws(() => ctx.after(Number.NaN, 'never'), { code: 'bad-delay' });
      },
    }),
  );
  await until(() => seen.length === 2);
  t.deepEqual(seen, ['first', 'second']);
});

test('the context of an ended incarnation does nothing', async (t) => {
  const { system } = testSystem(t);
  let kept: Context<string> | undefined;
  system.spawn(
    'gone',
    actor<string>(() => undefined, {
      start: (ctx) => {
        kept = ctx;
      },
    }),
  );
  await until(() => kept !== undefined);
  await system.stop();
  let ran = false;
  kept?.pipe(
    async () => {
      ran = true;
    },
    () => 'x',
  );
  kept?.after(0, 'x');
  kept?.say({ doing: 'nothing' });
  t.false(ran);
  t.throws(
    () =>
      kept?.spawn(
        'child',
        actor(() => undefined),
      ),
    { code: 'actor-stopping' },
  );
});

test('systems of the same name in one process are separate', async (t) => {
  const one = createActorSystem({ name: 'same', supervision: { plain: row() }, log: silentLogger });
  const two = createActorSystem({ name: 'same', supervision: { plain: row() }, log: silentLogger });
  t.teardown(() => Promise.all([one.stop(), two.stop()]));
  const a = one.spawn('counter', counter);
  const b = two.spawn('counter', counter);
  a.tell({ type: 'add', by: 1 });
  await one.stop();
  t.is(await b.ask<number>((reply) => ({ type: 'read', reply })), 0);
});

test('spawning fails in a stopped system, under a taken or empty name, or without a supervision row', async (t) => {
  const { system } = testSystem(t);
  system.spawn('taken', counter);
  t.throws(() => system.spawn('taken', counter), { code: 'name-taken' });
  t.throws(() => system.spawn('', counter), { code: 'bad-name' });
  t.throws(() => system.spawn('other', { ...counter, kind: 'unheard-of' }), { code: 'unknown-actor-kind' });
  t.throws(() => system.spawn('other', { ...counter, kind: 'toString' }), { code: 'unknown-actor-kind' });
  t.deepEqual(
    system.tree().children.map((child) => child.name),
    ['taken'],
  );
  await system.stop();
  t.throws(() => system.spawn('late', counter), { code: 'actor-stopping' });
});

test('many listeners on the signal of an actor cause no warning', async (t) => {
  const { system } = testSystem(t);
  const warnings: Error[] = [];
  const note = (warning: Error) => warnings.push(warning);
  process.on('warning', note);
  t.teardown(() => process.off('warning', note));
  const listening = gate();
  system.spawn(
    'listened-to',
    actor<never>(() => undefined, {
      start: (ctx) => {
        for (let i = 0; i < 50; i += 1) ctx.signal.addEventListener('abort', () => undefined);
        setImmediate(listening.open);
      },
    }),
  );
  await listening.opened;
  await system.stop();
  t.deepEqual(warnings, []);
});
