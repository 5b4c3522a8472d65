import test from 'ava';
import fc from 'fast-check';
import { Cancelled } from '#protocols/errors';
import { ByteBudget, ByteBudgets } from './byte-budget.ts';

test('a request that does not fit waits for its turn, in order', async (t) => {
  const budget = new ByteBudget(10);
  const first = await budget.acquire(8);
  const order: string[] = [];
  const large = budget.acquire(9).then((release) => {
    order.push('large');
    release();
  });
  const small = budget.acquire(1).then((release) => {
    order.push('small');
    release();
  });
  t.is(budget.tryAcquire(1), undefined);
  first();
  await Promise.all([large, small]);
  t.deepEqual(order, ['large', 'small']);
  t.is(budget.used, 0);
});

test('a request above the limit passes alone, and a double release counts once', async (t) => {
  const budget = new ByteBudget(10);
  const release = await budget.acquire(100);
  t.is(budget.used, 10);
  release();
  release();
  t.is(budget.used, 0);
});

test('a cancelled waiter leaves the queue and lets the next one through', async (t) => {
  const budget = new ByteBudget(10);
  const hold = await budget.acquire(5);
  const cancel = new AbortController();
  const large = budget.acquire(8, cancel.signal);
  const small = budget.acquire(5);
  cancel.abort();
  await t.throwsAsync(large, { instanceOf: Cancelled });
  (await small)();
  hold();
  t.is(budget.used, 0);
});

test('the limit is never exceeded, in any order of acquire and release', async (t) => {
  await t.notThrowsAsync(
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 }), async (sizes) => {
        const budget = new ByteBudget(20);
        let highest = 0;
        await Promise.all(
          sizes.map(async (size) => {
            const release = await budget.acquire(size);
            highest = Math.max(highest, budget.used);
            await null;
            release();
          }),
        );
        return highest <= 20 && budget.used === 0;
      }),
    ),
  );
});

test('a holder of bytes is notified when somebody waits for them', async (t) => {
  const budget = new ByteBudget(10);
  const release = await budget.acquire(10);
  const deaf = budget.onShortage(() => t.fail());
  deaf();
  budget.onShortage(release);
  t.false(budget.isShort);
  (await budget.acquire(5))();
  t.is(budget.used, 0);
});

test('each provider has a budget of its own', async (t) => {
  const budgets = new ByteBudgets(4);
  const release = await budgets.of(1).acquire(4);
  t.is(budgets.of(1).tryAcquire(1), undefined);
  t.truthy(budgets.of(2).tryAcquire(4));
  release();
  t.truthy(budgets.of(1).tryAcquire(1));
});
