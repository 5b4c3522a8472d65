import test from 'ava';
import { Allowance } from './allowance.ts';

const LIMIT = 64;
const calm = { lateMs: 0, clients: false };
const busy = { lateMs: 40, clients: true };

/** After so many samples of the same load, with as many jobs in work as may be. */
function after(
  samples: number,
  load: { lateMs: number; clients: boolean },
  allowance = new Allowance(LIMIT),
) {
  for (let i = 0; i < samples; i += 1) allowance.observe(load, allowance.places);
  return allowance;
}

test('jobs may be as many as the limit while nothing else is to be done', (t) => {
  t.is(after(100, calm).places, LIMIT);
});

test('places that nobody needs do not become more', (t) => {
  const allowance = new Allowance(LIMIT);
  for (let i = 0; i < 100; i += 1) allowance.observe(calm, 0);
  t.is(allowance.places, 1);
});

test('a late event loop takes places away, down to one, and a calm one gives them back', (t) => {
  const allowance = after(100, calm);
  after(3, busy, allowance);
  t.true(allowance.places < LIMIT / 2);
  after(100, busy, allowance);
  t.is(allowance.places, 1);
  after(100, calm, allowance);
  t.is(allowance.places, LIMIT);
});

test('the loop may be later while no client waits', (t) => {
  t.is(after(100, { lateMs: 60, clients: false }).places, LIMIT);
  t.is(after(100, { lateMs: 60, clients: true }).places, 1);
});

test('a client who waits is no reason to hold back while the loop is in time', (t) => {
  t.is(after(100, { lateMs: 1, clients: true }).places, LIMIT);
});

test('however late the loop is, a job starts every second, and never more than the limit', (t) => {
  const allowance = after(100, busy);
  t.true(allowance.clientsFirst);
  t.false(allowance.mayStart(0, 999), 'clients first');
  t.true(allowance.mayStart(0, 1_000));
  t.true(allowance.mayStart(LIMIT - 1, 1_000));
  t.false(allowance.mayStart(LIMIT, 1_000));
});

test('without clients too, a loop that comes to nothing holds jobs back', (t) => {
  t.is(after(100, { lateMs: 300, clients: false }).places, 1);
});

test('starts are spread', (t) => {
  const allowance = after(100, calm);
  t.false(allowance.mayStart(0, 0));
  t.true(allowance.mayStart(0, 25));
});
