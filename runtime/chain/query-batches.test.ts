import { setImmediate as nextTurn } from 'node:timers/promises';
import { deferred } from '@nats-io/nats-core';
import test from 'ava';
import { Cancelled } from '#protocols/errors';
import { QueryBatches } from './query-batches.ts';

interface Call {
  readonly id: number;
  readonly method: string;
}

/** A node that answers each call with its method, and the bodies of its requests. */
function node({ batches = true, until = async (_request: number) => {} } = {}) {
  const requests: (Call | readonly Call[])[] = [];
  const answerTo = ({ id, method }: Call) =>
    method === 'bad' ? { id, error: { code: -1, message: 'bad' } } : { id, result: method };
  const queries = new QueryBatches(async (_url, json) => {
    const calls: Call | readonly Call[] = JSON.parse(json);
    await until(requests.push(calls));
    if (!('length' in calls)) return { status: 200, text: JSON.stringify(answerTo(calls)) };
    const answers = batches
      ? calls.map(answerTo).toReversed()
      : { id: -1, error: { code: -1, message: 'no' } };
    return { status: 200, text: JSON.stringify(answers) };
  });
  const ask = (method: string, signal?: AbortSignal) => queries.ask('http://node', { id: 7, method }, signal);
  return { ask, requests };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await nextTurn();
}

test('queries of one turn share requests of ten, and each gets its own answer', async (t) => {
  const { ask, requests } = node();
  const names = Array.from({ length: 11 }, (_, i) => `q${i}`);
  const answers = await Promise.all(names.map((name) => ask(name)));
  t.deepEqual(
    answers.map(({ result }) => result),
    names,
  );
  t.deepEqual(
    requests.map((calls) => ('length' in calls ? calls.length : 1)),
    [10, 1],
  );
});

test('a refused query does not affect the others in its batch', async (t) => {
  const { ask } = node();
  const [bad, good] = await Promise.all([ask('bad'), ask('good')]);
  t.is(bad.error?.message, 'bad');
  t.is(good.result, 'good');
});

test('a node that refuses batches is asked one by one', async (t) => {
  const { ask, requests } = node({ batches: false });
  for (const pair of [['a', 'b'] as const, ['c', 'd'] as const]) {
    const [first, second] = await Promise.all(pair.map((name) => ask(name)));
    t.deepEqual([first?.result, second?.result], pair as unknown as string[]);
  }
  t.is(requests.filter((calls) => 'length' in calls).length, 1);
});

test('an aborted query ends at once, and the others of its batch get their answers', async (t) => {
  const { ask } = node();
  const stop = new AbortController();
  const aborted = ask('a', stop.signal);
  const other = ask('b');
  stop.abort();
  await t.throwsAsync(aborted, { instanceOf: Cancelled });
  t.is((await other).result, 'b');
});

test('queries that come while another is asked share the next request', async (t) => {
  const first = deferred<void>();
  const { ask, requests } = node({ until: (request) => (request === 1 ? first : Promise.resolve()) });
  const one = ask('a');
  await turns(2);
  const others: Promise<unknown>[] = [];
  for (const name of ['b', 'c', 'd']) {
    others.push(ask(name));
    await turns(1);
  }
  first.resolve();
  await Promise.all([one, ...others]);
  const sent = requests.map((calls) => ('length' in calls ? calls : [calls]).map(({ method }) => method));
  t.deepEqual(sent.flat(), ['a', 'b', 'c', 'd']);
  t.is(sent[0]?.length, 1);
});

test('queries do not wait long for a request without an answer', async (t) => {
  const { ask } = node({ until: (request) => (request === 1 ? new Promise(() => {}) : Promise.resolve()) });
  void ask('a');
  await turns(2);
  t.is((await ask('b')).result, 'b');
});
