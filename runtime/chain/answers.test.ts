import test from 'ava';
import { Cancelled } from '#protocols/errors';
import { type Answer, Answers } from './answers.ts';
import { KnownHeight } from './known-height.ts';

/** A chain that increases a number with every query, so that answers can be distinguished. */
function chainAt(height: number, maxEntries = 10) {
  const known = new KnownHeight();
  known.note(height);
  const node = {
    known,
    height,
    asked: 0,
    answers: new Answers<number | undefined>({ known, maxEntries, keeps: (value) => value !== 13 }),
    ask: async (): Promise<Answer<number | undefined>> => {
      node.asked += 1;
      const answer = { value: node.asked as number | undefined, height: node.height };
      await new Promise((resolve) => setImmediate(resolve));
      known.note(answer.height);
      return answer;
    },
  };
  return node;
}

test('queries for now share the request after the one in progress, and its answer is cached', async (t) => {
  const { answers, ask } = chainAt(5);
  const gets = Array.from({ length: 3 }, () => answers.get('a', ask));
  t.deepEqual(await Promise.all(gets), [1, 2, 2]);
  t.is(await answers.get('a', ask, { age: 'block' }), 2);
  t.is(await answers.get('a', ask, { age: 'now' }), 3);
});

test('a query for now does not join an earlier request', async (t) => {
  const { answers, ask } = chainAt(5);
  const earlier = answers.get('a', ask, { age: 'block' });
  t.is(await answers.get('a', ask), 2);
  t.is(await earlier, 1);
});

test('the same question at the same time is one request, and is not asked again before the next block', async (t) => {
  const node = chainAt(5);
  const { answers, ask } = node;
  const get = () => answers.get('a', ask, { age: 'block' });
  t.deepEqual(await Promise.all([get(), get()]), [1, 1]);
  t.is(await get(), 1);
  t.is(await answers.get('b', ask, { age: 'block' }), 2);
  // Some answer shows the next block.
  node.known.note(6);
  node.height = 6;
  t.is(await get(), 3);
  t.is(await get(), 3);
});

test('a request that was sent before the newest known block is not joined', async (t) => {
  const node = chainAt(5);
  const { answers, ask } = node;
  const earlier = answers.get('a', ask, { age: 'block' });
  node.known.note(6);
  t.is(await answers.get('a', ask, { age: 'block' }), 2);
  t.is(await earlier, 1);
});

test('the answer of a node that is behind is returned, but not cached', async (t) => {
  const node = chainAt(9);
  node.height = 5;
  const get = () => node.answers.get('a', node.ask, { age: 'block' });
  t.is(await get(), 1);
  t.is(await get(), 2);
});

test('an answer that may be seconds old outlives blocks', async (t) => {
  const node = chainAt(5);
  t.is(await node.answers.get('a', node.ask, { age: 'seconds' }), 1);
  node.known.note(7);
  t.is(await node.answers.get('a', node.ask, { age: 'seconds' }), 1);
});

test('missing items, failures and obstacles to an upload are not cached', async (t) => {
  const node = chainAt(5);
  const saying = (value: number | undefined) => async () => {
    node.asked += 1;
    return { value, height: 5 };
  };
  const get = (ask: () => Promise<Answer<number | undefined>>) =>
    node.answers.get('a', ask, { age: 'seconds' });
  t.is(await get(saying(undefined)), undefined);
  t.is(await get(saying(13)), 13);
  await t.throwsAsync(
    get(async () => Promise.reject(new Error('down'))),
    { message: 'down' },
  );
  t.is(await get(saying(7)), 7);
  // An answer that says "not found" drops the earlier one.
  t.is(await node.answers.get('a', saying(undefined)), undefined);
  t.is(await get(saying(8)), 8);
});

test('an item learned from another answer needs no query, and the oldest is dropped first', async (t) => {
  const node = chainAt(5, 2);
  node.answers.learn('a', { value: 42, height: 5 });
  t.is(await node.answers.get('a', node.ask, { age: 'block' }), 42);
  await node.answers.get('b', node.ask, { age: 'block' });
  await node.answers.get('c', node.ask, { age: 'block' });
  t.is(await node.answers.get('a', node.ask, { age: 'block' }), 3);
});

test('one waiter may cancel without affecting the others', async (t) => {
  const { answers, ask } = chainAt(5);
  const leaving = new AbortController();
  const left = answers.get('a', ask, { age: 'block', signal: leaving.signal });
  const other = answers.get('a', ask, { age: 'block' });
  leaving.abort();
  await t.throwsAsync(left, { instanceOf: Cancelled });
  t.is(await other, 1);
});
