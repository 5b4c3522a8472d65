import test from 'ava';
import { Cancelled, Retryable, Terminal } from '#protocols/errors';
import { actor, gate, row, testSystem, until } from './testing.ts';
import type { Ended } from './types.ts';

const retryable = (code = 'again') => new Retryable({ code, message: 'worth another try' });
const terminal = (code = 'never') => new Terminal({ code, message: 'no use' });

type Told = { readonly type: 'ended'; readonly end: Ended };

test('a restarted actor starts afresh; its ref and waiting messages stay valid', async (t) => {
  const { system, events } = testSystem(t);
  const states: number[] = [];
  const ref = system.spawn<string, number>('a', {
    kind: 'plain',
    start: () => 0,
    receive: (state, message) => {
      if (message === 'fail') throw retryable();
      states.push(state);
      return state + 1;
    },
  });
  const first = ref.incarnation;
  for (const message of ['x', 'x', 'fail', 'x', 'x']) t.true(ref.tell(message));
  await until(() => states.length === 4);
  t.deepEqual(states, [0, 1, 0, 1]);
  t.true(ref.incarnation > first);
  t.is(events.filter((e) => e.type === 'restarted').length, 1);
});

test('the failed incarnation, with children and piped work, has ended before the next one starts', async (t) => {
  const { system } = testSystem(t);
  const order: string[] = [];
  const slowly = async (name: string, ms: number) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    order.push(name);
  };
  const ref = system.spawn(
    'a',
    actor<'fail'>(
      (_, ctx) => {
        ctx.pipe(
          () => slowly('piped work ended', 30),
          () => 'fail',
        );
        throw retryable();
      },
      {
        start: (ctx) => {
          order.push('start');
          ctx.spawn(
            'child',
            actor<never>(() => undefined, { stopped: () => slowly('child stopped', 5) }),
          );
          return new Promise((resolve) => setTimeout(resolve, 5));
        },
        stopped: () => void order.push('stopped'),
      },
    ),
  );
  ref.tell('fail');
  await until(() => order.filter((step) => step === 'start').length === 2);
  t.deepEqual(order.slice(1, 3).toSorted(), ['child stopped', 'piped work ended']);
  t.deepEqual([order[0], order[3], order[4]], ['start', 'stopped', 'start']);
});

test('a failing start is a failure like any other', async (t) => {
  const { system } = testSystem(t);
  let starts = 0;
  const states: unknown[] = [];
  const seen: string[] = [];
  const ref = system.spawn(
    'a',
    actor<string>((message) => void seen.push(message), {
      start: async () => {
        starts += 1;
        if (starts < 3) throw retryable();
      },
      stopped: (state) => void states.push(state),
    }),
  );
  ref.tell('waits for a good start');
  await until(() => seen.length === 1);
  t.is(starts, 3);
  t.is(states.length, 2);
});

test('resume keeps the state and continues with the next message', async (t) => {
  const { system, events } = testSystem(t, { plain: row({ retryable: 'resume' }) });
  const states: number[] = [];
  const ref = system.spawn<string, number>('a', {
    kind: 'plain',
    start: () => 0,
    receive: (state, message) => {
      if (message === 'fail') throw retryable();
      states.push(state);
      return state + 1;
    },
  });
  for (const message of ['x', 'fail', 'x']) ref.tell(message);
  await until(() => states.length === 2);
  t.deepEqual(states, [0, 1]);
  t.false(events.some((e) => e.type === 'restarted'));
});

test('the intensity limit ends an actor that fails again and again', async (t) => {
  const { system, events } = testSystem(t, {
    plain: row({ restarts: { limit: 3, withinMs: 60_000, beyond: 'stop' } }),
  });
  let starts = 0;
  system.spawn(
    'a',
    actor<never>(() => undefined, {
      start: () => {
        starts += 1;
        throw retryable();
      },
    }),
  );
  await until(() => system.tree().children.length === 0);
  t.is(starts, 4);
  t.true(events.some((e) => e.type === 'stopped' && e.how === 'failed'));
});

test('a child that escalates ends, and its parent fails with the same error by its own row', async (t) => {
  const { system, events } = testSystem(t, {
    child: row({ terminal: 'escalate' }),
    parent: row({ terminal: 'restart' }),
  });
  let parentStarts = 0;
  let childStarts = 0;
  const child = actor<'fail'>(
    () => {
      throw terminal('child-broke');
    },
    {
      kind: 'child',
      start: () => {
        childStarts += 1;
      },
    },
  );
  system.spawn(
    'parent',
    actor<never>(() => undefined, {
      kind: 'parent',
      start: (ctx) => {
        parentStarts += 1;
        const ref = ctx.spawn('child', child);
        if (parentStarts === 1) ref.tell('fail');
      },
    }),
  );
  await until(() => childStarts === 2);
  t.is(parentStarts, 2);
  const failed = events.filter((e) => e.type === 'failed');
  t.deepEqual(
    failed.map((e) => [e.path, e.error.code, e.directive]),
    [
      ['test/parent/child', 'child-broke', 'escalate'],
      ['test/parent', 'child-broke', 'restart'],
    ],
  );
});

test('a parent that resumes after an escalation continues without the child, and may spawn it again', async (t) => {
  const { system } = testSystem(t, {
    child: row({ terminal: 'escalate' }),
    parent: row({ terminal: 'resume' }),
  });
  const seen: string[] = [];
  const child = actor<string>(
    (message) => {
      if (message === 'fail') throw terminal();
      seen.push(message);
    },
    { kind: 'child' },
  );
  const parent = system.spawn<Told | string, void>('parent', {
    kind: 'parent',
    start: (ctx) => {
      const ref = ctx.spawn('child', child);
      ctx.watch(ref, (end) => ({ type: 'ended', end }));
      ref.tell('fail');
      ref.tell('lost with the child');
    },
    receive: (_, message, ctx) => {
      if (typeof message === 'string') seen.push(`parent: ${message}`);
      else ctx.spawn('child', child).tell(`after ${message.end.error?.code}`);
    },
  });
  await until(() => seen.includes('after never'));
  parent.tell('still here');
  await until(() => seen.length === 2);
  t.deepEqual(seen, ['after never', 'parent: still here']);
});

test('an unhandled escalation ends the top actor and no other', async (t) => {
  const { system } = testSystem(t, { top: row({ terminal: 'escalate' }) });
  const seen: string[] = [];
  const other = system.spawn(
    'other',
    actor<string>((message) => void seen.push(message)),
  );
  const top = actor<'fail'>(
    () => {
      throw terminal();
    },
    { kind: 'top' },
  );
  system.spawn('top', top).tell('fail');
  await until(() => system.tree().children.length === 1);
  other.tell('alive');
  await until(() => seen.length === 1);
  t.deepEqual(
    system.tree().children.map((child) => child.name),
    ['other'],
  );
});

test('an escalation during a handler of the parent aborts its signal, and handlers do not overlap', async (t) => {
  const { system } = testSystem(t, {
    child: row({ terminal: 'escalate' }),
    parent: row({ terminal: 'restart' }),
  });
  const order: string[] = [];
  const parent = system.spawn(
    'parent',
    actor<'go'>(
      async (_, ctx) => {
        const child = actor<'fail'>(
          () => {
            throw terminal();
          },
          { kind: 'child' },
        );
        ctx.spawn('child', child).tell('fail');
        await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve, { once: true }));
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push('handler ended');
      },
      { kind: 'parent', start: () => void order.push('start') },
    ),
  );
  parent.tell('go');
  await until(() => order.length === 3);
  t.deepEqual(order, ['start', 'handler ended', 'start']);
});

test('an actor can be stopped while it waits to restart', async (t) => {
  const { system, events } = testSystem(t, { plain: row({ backoff: { minMs: 1e8, maxMs: 1e9 } }) });
  const ref = system.spawn(
    'a',
    actor<string>(() => {
      throw retryable();
    }),
  );
  ref.tell('fail');
  await until(() => system.tree().children[0]?.status === 'restarting');
  const node = system.tree().children[0];
  t.is(node?.activity?.doing, 'restarting after again');
  t.true((node?.activity?.nextTryAt ?? 0) > Date.now());
  t.is(node?.lastError?.code, 'again');
  t.true(ref.tell('waits'));
  await system.stop();
  t.false(ref.tell('too late'));
  t.deepEqual(
    events.filter((e) => e.type === 'dead-letter').map((e) => e.path),
    ['test/a', 'test/a'],
  );
});

test('a cancelled error while stopping is not a failure, any other error is reported', async (t) => {
  const { system, events } = testSystem(t);
  for (const [name, error] of [
    ['quiet', new Cancelled({ code: 'aborted', message: 'asked to stop' })],
    ['loud', terminal('broke-while-stopping')],
  ] as const) {
    const begun = gate();
    system
      .spawn(
        name,
        actor<'go'>(async (_, ctx) => {
          begun.open();
          await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve, { once: true }));
          throw error;
        }),
      )
      .tell('go');
    await begun.opened;
  }
  await system.stop();
  t.deepEqual(
    events.filter((e) => e.type === 'failed').map((e) => e.error.code),
    ['broke-while-stopping'],
  );
  t.deepEqual(
    events.filter((e) => e.type === 'stopped').map((e) => e.how),
    ['stopped', 'stopped'],
  );
});

test('an unknown thrown value is treated as retryable', async (t) => {
  const { system, events } = testSystem(t);
  const seen: string[] = [];
  const ref = system.spawn(
    'a',
    actor<string>((message) => {
      if (message === 'fail') throw 'a string';
      seen.push(message);
    }),
  );
  ref.tell('fail');
  ref.tell('x');
  await until(() => seen.length === 1);
  t.true(events.some((e) => e.type === 'failed' && e.error.code === 'unexpected'));
});
