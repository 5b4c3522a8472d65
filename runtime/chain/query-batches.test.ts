import test from 'ava';
import { Cancelled } from '#protocols/errors';
import { QueryBatches } from './query-batches.ts';

interface Call {
  readonly id: number;
  readonly method: string;
}

/** A node that answers each call with its method, and the bodies of its requests. */
function node({ batches = true } = {}) {
  const requests: (Call | readonly Call[])[] = [];
  const answerTo = ({ id, method }: Call) =>
    method === 'bad' ? { id, error: { code: -1, message: 'bad' } } : { id, result: method };
  const queries = new QueryBatches(async (_url, json) => {
    const calls: Call | readonly Call[] = JSON.parse(json);
    requests.push(calls);
    if (!('length' in calls)) return { status: 200, text: JSON.stringify(answerTo(calls)) };
    const answers = batches
      ? calls.map(answerTo).toReversed()
      : { id: -1, error: { code: -1, message: 'no' } };
    return { status: 200, text: JSON.stringify(answers) };
  });
  const ask = (method: string, signal?: AbortSignal) => queries.ask('http://node', { id: 7, method }, signal);
  return { ask, requests };
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
