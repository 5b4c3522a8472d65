import { getEventListeners } from 'node:events';
import test from 'ava';
import { Retryable, Terminal } from '#protocols/errors';
import { actor, gate, row, testSystem, until } from './testing.ts';
import type { Ended, Outcome, Ref, Reply } from './types.ts';

type Question = { readonly type: 'question'; readonly reply: Reply<string> };
const question = (reply: Reply<string>): Question => ({ type: 'question', reply });

test('a full mailbox rejects messages, which become dead letters', async (t) => {
  const { system, events } = testSystem(t);
  const hold = gate();
  const begun = gate();
  const seen: number[] = [];
  const ref = system.spawn(
    'a',
    actor<number | Question>(
      async (message) => {
        begun.open();
        await hold.opened;
        if (typeof message === 'number') seen.push(message);
      },
      { mailboxLimit: 3 },
    ),
  );
  ref.tell(0);
  await begun.opened;
  t.deepEqual(
    [1, 2, 3, 4, 5].map((n) => ref.tell(n)),
    [true, true, true, false, false],
  );
  await t.throwsAsync(ref.ask(question), { code: 'mailbox-full', instanceOf: Retryable });
  t.is(system.tree().children[0]?.mailbox, 3);
  hold.open();
  await until(() => seen.length === 4);
  t.deepEqual(seen, [0, 1, 2, 3]);
  t.is(events.filter((e) => e.type === 'dead-letter' && e.reason === 'mailbox-full').length, 3);
  t.true(ref.tell(6));
});

test("results of an actor's own work arrive even when its mailbox is full", async (t) => {
  const { system } = testSystem(t);
  const seen: string[] = [];
  const piped = gate();
  const ref = system.spawn(
    'a',
    actor<string>(
      async (message, ctx) => {
        seen.push(message);
        if (message !== 'go') return;
        ctx.after(0, 'timer');
        ctx.pipe(
          async () => piped.open(),
          () => 'piped',
        );
        await piped.opened;
        await new Promise((resolve) => setTimeout(resolve, 5));
      },
      { mailboxLimit: 1 },
    ),
  );
  ref.tell('go');
  await piped.opened;
  t.true(ref.tell('from outside'));
  t.false(ref.tell('too many'));
  await until(() => seen.length === 4);
  t.deepEqual(seen.toSorted(), ['from outside', 'go', 'piped', 'timer']);
});

test('a stale ref does not reach a new actor at its path', async (t) => {
  const { system, events } = testSystem(t);
  const seen: string[] = [];
  const body = actor<string>((message, ctx) => {
    seen.push(message);
    if (message === 'leave') ctx.stopSelf();
  });
  const old = system.spawn('a', body);
  old.tell('leave');
  await until(() => system.tree().children.length === 0);
  const fresh = system.spawn('a', body);
  t.is(old.path, fresh.path);
  t.false(old.tell('stale'));
  t.true(fresh.tell('good'));
  await until(() => seen.length === 2);
  t.deepEqual(seen, ['leave', 'good']);
  t.deepEqual(
    events.filter((e) => e.type === 'dead-letter').map((e) => [e.path, e.reason]),
    [['test/a', 'stopped']],
  );
});

test('the first answer to a question counts', async (t) => {
  const { system } = testSystem(t);
  const ref = system.spawn(
    'a',
    actor<Question>(({ reply }) => {
      reply.resolve('first');
      reply.resolve('second');
      reply.reject(new Error('third'));
    }),
  );
  t.is(await ref.ask(question), 'first');
});

test('a question is rejected with the error that the actor throws or returns', async (t) => {
  const { system } = testSystem(t);
  const refused = new Terminal({ code: 'refused', message: 'no' });
  const ref = system.spawn(
    'a',
    actor<Question & { readonly how: 'give' | 'throw' }>(({ reply, how }) => {
      if (how === 'throw') throw refused;
      reply.reject(refused);
    }),
  );
  t.is(await t.throwsAsync(ref.ask<string>((reply) => ({ ...question(reply), how: 'give' }))), refused);
  t.is(await t.throwsAsync(ref.ask<string>((reply) => ({ ...question(reply), how: 'throw' }))), refused);
});

test('a question is rejected with the cause when the actor ends or restarts without an answer', async (t) => {
  const { system } = testSystem(t);
  type Ask = Question | { readonly type: 'fail'; readonly error: Error };
  const body = actor<Ask>((message) => {
    if (message.type === 'fail') throw message.error;
  });
  const ref = system.spawn('a', body);
  const again = new Retryable({ code: 'again', message: 'again' });
  const first = ref.ask(question);
  ref.tell({ type: 'fail', error: again });
  const restarted = await t.throwsAsync(first, { code: 'actor-stopped', instanceOf: Retryable });
  t.is(restarted?.cause, again);
  const broke = new Terminal({ code: 'broke', message: 'broke' });
  const taken = ref.ask(question);
  ref.tell({ type: 'fail', error: broke });
  const waiting = ref.ask(question);
  t.is((await t.throwsAsync(taken, { code: 'actor-stopped' }))?.cause, broke);
  t.is((await t.throwsAsync(waiting, { code: 'actor-stopped' }))?.cause, broke);
  t.is((await t.throwsAsync(ref.ask(question), { code: 'actor-stopped' }))?.cause, broke);
});

test('a question that waits through a restart is answered by the next incarnation', async (t) => {
  const { system } = testSystem(t);
  const ref = system.spawn(
    'a',
    actor<Question | 'fail'>((message) => {
      if (message === 'fail') throw new Retryable({ code: 'x', message: 'x' });
      message.reply.resolve('here');
    }),
  );
  ref.tell('fail');
  t.is(await ref.ask(question), 'here');
});

test('a question ends with its signal or time limit, and leaves nothing behind', async (t) => {
  const { system } = testSystem(t);
  const ref = system.spawn(
    'a',
    actor<Question>(() => undefined),
  );
  const controller = new AbortController();
  const asked = ref.ask(question, { signal: controller.signal });
  t.is(getEventListeners(controller.signal, 'abort').length, 1);
  controller.abort();
  await t.throwsAsync(asked, { name: 'Cancelled', code: 'aborted' });
  t.is(getEventListeners(controller.signal, 'abort').length, 0);
  await t.throwsAsync(ref.ask(question, { signal: controller.signal }), { name: 'Cancelled' });
  await t.throwsAsync(ref.ask(question, { timeoutMs: 1 }), { code: 'ask-timeout', instanceOf: Retryable });
});

test('an answered question leaves no listener and no timer', async (t) => {
  const { system } = testSystem(t);
  const ref = system.spawn(
    'a',
    actor<Question>(({ reply }) => reply.resolve('here')),
  );
  const { signal } = new AbortController();
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  for (let i = 0; i < 20; i += 1) await ref.ask(question, { signal, timeoutMs: 60_000 });
  t.is(getEventListeners(signal, 'abort').length, 0);
  t.true(timers() <= before);
});

test('a question that cannot be built is rejected', async (t) => {
  const { system } = testSystem(t);
  const ref = system.spawn(
    'a',
    actor<Question>(() => undefined),
  );
  const build = (): Question => {
    throw new Terminal({ code: 'no-question', message: 'no question' });
  };
  await t.throwsAsync(ref.ask(build), { code: 'no-question' });
});

test('the outcome of piped work arrives as a message, even when the work fails at once', async (t) => {
  const { system } = testSystem(t);
  const outcomes: Outcome<number>[] = [];
  const ref = system.spawn(
    'a',
    actor<'go' | Outcome<number>>((message, ctx) => {
      if (message !== 'go') {
        outcomes.push(message);
        return;
      }
      ctx.pipe(
        async () => 1,
        (outcome) => outcome,
      );
      ctx.pipe(
        () => {
          throw new Error('at once');
        },
        (outcome: Outcome<number>) => outcome,
      );
      ctx.pipe(
        async () => {
          throw new Terminal({ code: 'later', message: 'later' });
        },
        (outcome: Outcome<number>) => outcome,
      );
    }),
  );
  ref.tell('go');
  await until(() => outcomes.length === 3);
  t.deepEqual(
    outcomes
      .map((outcome) => (outcome.ok ? outcome.value : outcome.error.code))
      .map(String)
      .toSorted(),
    ['1', 'later', 'unexpected'],
  );
});

test('an outcome that cannot be turned into a message is a failure of the actor', async (t) => {
  const { system, events } = testSystem(t);
  const ref = system.spawn(
    'a',
    actor<'go'>((_, ctx) => {
      ctx.pipe(
        async () => 1,
        () => {
          throw new Error('no message');
        },
      );
    }),
  );
  ref.tell('go');
  await until(() => events.some((e) => e.type === 'restarted'));
  t.pass();
});

test('a watcher is notified once of the end of an actor, at once if it has ended, and not of restarts', async (t) => {
  const { system } = testSystem(t);
  const ends: Ended[] = [];
  const watched = system.spawn(
    'watched',
    actor<Error>((error) => {
      throw error;
    }),
  );
  const watcher = system.spawn(
    'watcher',
    actor<Ref<Error> | Ended>((message, ctx) => {
      if ('how' in message) ends.push(message);
      else ctx.watch(message, (end) => end);
    }),
  );
  watcher.tell(watched);
  watched.tell(new Retryable({ code: 'again', message: 'again' }));
  const broke = new Terminal({ code: 'broke', message: 'broke' });
  watched.tell(broke);
  await until(() => ends.length === 1);
  t.deepEqual(ends, [{ path: 'test/watched', how: 'failed', error: broke }]);
  watcher.tell(watched);
  await until(() => ends.length === 2);
  t.deepEqual(ends[1], ends[0]);
});

test('an ended watcher is removed', async (t) => {
  const { system, events } = testSystem(t);
  const watched = system.spawn(
    'watched',
    actor<'leave'>((_, ctx) => ctx.stopSelf()),
  );
  const told: Ended[] = [];
  const watcher = system.spawn(
    'watcher',
    actor<'leave' | Ended>(
      (message, ctx) => {
        if (message === 'leave') ctx.stopSelf();
        else told.push(message);
      },
      { start: (ctx) => ctx.watch(watched, (end) => end) },
    ),
  );
  watcher.tell('leave');
  await until(() => system.tree().children.length === 1);
  watched.tell('leave');
  await until(() => system.tree().children.length === 0);
  t.deepEqual(told, []);
  t.false(events.some((e) => e.type === 'dead-letter'));
});

test('only a child can be stopped, and stopping an ended one resolves at once', async (t) => {
  const { system } = testSystem(t);
  const other = system.spawn(
    'other',
    actor<never>(() => undefined),
  );
  type Ask = { readonly type: 'try'; readonly reply: Reply<string> };
  const ref = system.spawn(
    'a',
    actor<Ask>(async ({ reply }, ctx) => {
      await t.throwsAsync(ctx.stop(other), { code: 'not-a-child' });
      const child = ctx.spawn(
        'child',
        actor<never>(() => undefined),
      );
      await ctx.stop(child);
      await ctx.stop(child);
      reply.resolve(String(ctx.child('child')));
    }),
  );
  t.is(await ref.ask<string>((reply) => ({ type: 'try', reply })), 'undefined');
});

test('the inspection stream reports events without message content, and survives a failing listener', async (t) => {
  const { system, events } = testSystem(t, { plain: row({ terminal: 'stop' }) });
  const unsubscribe = system.inspect(() => {
    throw new Error('bad listener');
  });
  let others = 0;
  const stopListening = system.inspect(() => {
    others += 1;
  });
  const ref = system.spawn(
    'a',
    actor<{ readonly type: 'secret'; readonly payload: string }>(() => {
      throw new Terminal({ code: 'broke', message: 'broke' });
    }),
  );
  ref.tell({ type: 'secret', payload: 'content' });
  await until(() => system.tree().children.length === 0);
  ref.tell({ type: 'secret', payload: 'content' });
  t.deepEqual(
    events.map((e) => e.type),
    ['spawned', 'message', 'failed', 'stopped', 'dead-letter'],
  );
  t.is(others, 5);
  t.false(JSON.stringify(events).includes('content'));
  unsubscribe();
  stopListening();
  ref.tell({ type: 'secret', payload: 'content' });
  t.is(others, 5);
});

test('the tree shows the status of each actor and since when', async (t) => {
  const { system } = testSystem(t);
  type Say = {
    readonly type: 'say';
    readonly doing: string;
    readonly done: number;
    readonly reply: Reply<void>;
  };
  const ref = system.spawn<Say, void>('a', {
    kind: 'plain',
    start: (ctx) =>
      void ctx.spawn(
        'b/c',
        actor<never>(() => undefined),
      ),
    receive: (_, { doing, done, reply }, ctx) => {
      ctx.say({ doing, progress: { done, total: 2, unit: 'segments' } });
      reply.resolve();
    },
  });
  const say = (doing: string, done: number) =>
    ref.ask<void>((reply) => ({ type: 'say', doing, done, reply }));
  await say('encoding', 1);
  const since = system.tree().children[0]?.activity?.since ?? 0;
  await new Promise((resolve) => setTimeout(resolve, 5));
  await say('encoding', 2);
  const node = system.tree().children[0];
  t.is(node?.activity?.since, since);
  t.is(node?.activity?.progress?.done, 2);
  await say('sending', 2);
  t.true((system.tree().children[0]?.activity?.since ?? 0) > since);
  t.deepEqual([node?.path, node?.kind, node?.children[0]?.path], ['test/a', 'plain', 'test/a/b/c']);
});
