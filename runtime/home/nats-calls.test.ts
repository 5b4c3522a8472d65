import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/nats-core';
import anyTest, { type TestFn } from 'ava';
import { Cancelled, Retryable, Terminal } from '#protocols/errors';
import { orAborted } from '../async/or-aborted.ts';
import { connectNats } from '../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import type { Calls } from './calls.ts';
import { natsCalls } from './nats-calls.ts';

const test = anyTest as TestFn<{ server: NatsServer }>;

test.before(async (t) => {
  t.context = { server: await startNatsServer() };
});
test.after.always((t) => t.context.server.stop());

async function node(
  t: { teardown(end: () => Promise<void>): void; context: { server: NatsServer } },
  name: string,
): Promise<{ calls: Calls; connection: NatsConnection }> {
  const connection = await connectNats({ url: t.context.server.url, name, log: silentLogger });
  t.teardown(() => connection.close());
  return { calls: natsCalls(connection, silentLogger), connection };
}

/** Serves in the background and resolves once the server knows of it. */
async function serving(
  { calls, connection }: { calls: Calls; connection: NatsConnection },
  subject: string,
  answer: (question: unknown, signal: AbortSignal) => Promise<unknown>,
): Promise<{ stop(): Promise<void> }> {
  const stop = new AbortController();
  const served = calls.serve(subject, answer, { signal: stop.signal });
  await connection.flush();
  return {
    stop: async () => {
      stop.abort();
      await served;
    },
  };
}

const timeoutMs = 60_000;

test('a call is answered by another node', async (t) => {
  const a = await node(t, 'a');
  const b = await node(t, 'b');
  const line = await serving(a, 'sum', async (question) => {
    const numbers = question as readonly number[];
    return { sum: numbers.reduce((x, y) => x + y, 0) };
  });
  t.deepEqual(await b.calls.call('sum', [1, 2, 3], { timeoutMs }), { sum: 6 });
  await line.stop();
});

test('an error thrown by the answerer reaches the caller unchanged', async (t) => {
  const a = await node(t, 'a');
  const b = await node(t, 'b');
  const thrown: Record<string, Error> = {
    terminal: new Terminal({ code: 'no', message: 'No.', advice: 'Do not.', gatewayCode: 50001 }),
    retryable: new Retryable({ code: 'later', message: 'Later.', retryAfterMs: 77 }),
    cancelled: new Cancelled({ code: 'stop', message: 'Stopped.' }),
    other: new Error('bang'),
  };
  const line = await serving(a, 'throws', async (question) => {
    throw thrown[String(question)];
  });
  const call = (which: string) => b.calls.call('throws', which, { timeoutMs });
  const terminal = await t.throwsAsync(call('terminal'), {
    instanceOf: Terminal,
    code: 'no',
    message: 'No.',
  });
  t.deepEqual([terminal?.advice, terminal?.gatewayCode], ['Do not.', 50001]);
  const retryable = await t.throwsAsync(call('retryable'), { instanceOf: Retryable, code: 'later' });
  t.is(retryable?.retryAfterMs, 77);
  await t.throwsAsync(call('cancelled'), { instanceOf: Cancelled, code: 'stop' });
  await t.throwsAsync(call('other'), { instanceOf: Retryable, code: 'unexpected', message: /bang/ });
  await line.stop();
});

test('a call that nobody answers in time is retryable', async (t) => {
  const a = await node(t, 'a');
  const b = await node(t, 'b');
  await t.throwsAsync(b.calls.call('void', 1, { timeoutMs }), {
    instanceOf: Retryable,
    code: 'nobody-answers',
  });
  let answer: () => void = () => undefined;
  const line = await serving(
    a,
    'slow',
    () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
  );
  await t.throwsAsync(b.calls.call('slow', 1, { timeoutMs: 50 }), {
    instanceOf: Retryable,
    code: 'call-timeout',
  });
  answer();
  await line.stop();
});

test('a call whose node ends is given up soon, a slow one is waited for', async (t) => {
  const [a, b, c] = [await node(t, 'a'), await node(t, 'b'), await node(t, 'c')];
  const slow = await serving(a, 'slower', async () => {
    await sleep(6_000);
    return 'at last';
  });
  const stop = new AbortController();
  b.calls.serve('dying', () => new Promise(() => undefined), { signal: stop.signal }).catch(() => undefined);
  await b.connection.flush();
  const answer = c.calls.call('slower', 1, { timeoutMs });
  const lost = c.calls.call('dying', 1, { timeoutMs });
  lost.catch(() => undefined);
  await c.connection.flush();
  await b.connection.close();
  await t.throwsAsync(lost, { instanceOf: Retryable, code: 'answerer-silent' });
  t.is(await answer, 'at last');
  await slow.stop();
});

test('a call over a connection that closes, or is closed, is retryable', async (t) => {
  const [a, b] = [await node(t, 'a'), await node(t, 'b')];
  const line = await serving(a, 'kept', () => sleep(300));
  const calls = [b.calls.call('kept', 1, { timeoutMs })];
  await b.connection.flush();
  await b.connection.close();
  calls.push(b.calls.call('kept', 1, { timeoutMs }));
  for (const call of calls) await t.throwsAsync(call, { instanceOf: Retryable, code: 'nats-unavailable' });
  await line.stop();
});

test('a call that is cut off because its node loses its role is for another try', async (t) => {
  const [a, b] = [await node(t, 'a'), await node(t, 'b')];
  const role = new AbortController();
  const lost = new Cancelled({ code: 'lease-lost', message: 'Lost.' });
  let begun: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const answer = async (_question: unknown, signal: AbortSignal) => {
    begun();
    await orAborted(new Promise(() => undefined), signal);
  };
  const served = a.calls.serve('cut', answer, { signal: role.signal });
  await a.connection.flush();
  const call = b.calls.call('cut', 1, { timeoutMs });
  call.catch(() => undefined);
  await asked;
  role.abort(lost);
  await t.throwsAsync(call, { instanceOf: Retryable, code: 'nobody-answers' });
  await served;
});

test('who serves alone is asked beside a former holder that does not answer any more', async (t) => {
  const [former, successor, c] = [await node(t, 'a'), await node(t, 'b'), await node(t, 'c')];
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const options = { signal: stop.signal, alone: true };
  const hangs = former.calls.serve('role', () => new Promise(() => undefined), options);
  hangs.catch(() => undefined);
  const answers = successor.calls.serve('role', async () => 'here', options);
  answers.catch(() => undefined);
  await Promise.all([former.connection.flush(), successor.connection.flush()]);
  for (let i = 0; i < 10; i += 1) t.is(await c.calls.call('role', i, { timeoutMs }), 'here');
});

test('a cancelled call ends at once and leaves no listener', async (t) => {
  const a = await node(t, 'a');
  const line = await serving(a, 'held', async (_question, signal) => {
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  });
  const asker = new AbortController();
  const call = a.calls.call('held', 1, { timeoutMs, signal: asker.signal });
  asker.abort();
  await t.throwsAsync(call, { instanceOf: Cancelled });
  t.is(getEventListeners(asker.signal, 'abort').length, 0);
  await t.throwsAsync(a.calls.call('held', 1, { timeoutMs, signal: asker.signal }), {
    instanceOf: Cancelled,
  });
  await line.stop();
});

test('serving ends with its signal after the calls in progress; any other end is a failure', async (t) => {
  const a = await node(t, 'a');
  const b = await node(t, 'b');
  let ended = false;
  const line = await serving(a, 'last', async (_question, signal) => {
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    ended = true;
    return 'bye';
  });
  const call = b.calls.call('last', 1, { timeoutMs });
  await b.connection.flush();
  await a.connection.flush();
  await line.stop();
  t.true(ended);
  t.is(await call, 'bye');

  const served = b.calls.serve('lost', async () => 1, { signal: new AbortController().signal });
  await b.connection.flush();
  await b.connection.close();
  await t.throwsAsync(served, { instanceOf: Retryable, code: 'nats-unavailable' });
});
