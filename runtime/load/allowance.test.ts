import test from 'ava';
import { Allowance, type Load } from './allowance.ts';

const LIMIT = 64;
const calm = { lateMs: 0, busy: 0.3, clients: false };
const late = { lateMs: 40, busy: 0.3, clients: true };

/** The allowance after some samples of the same load, with all allowed jobs in work. */
function after(samples: number, load: Load, allowance = new Allowance(LIMIT)) {
  for (let i = 0; i < samples; i += 1) allowance.observe(load, allowance.allowedJobs);
  return allowance;
}

test('without other load as many jobs as the limit are allowed', (t) => {
  t.is(after(100, calm).allowedJobs, LIMIT);
});

test('the number of allowed jobs does not grow while fewer are in work', (t) => {
  const allowance = new Allowance(LIMIT);
  for (let i = 0; i < 100; i += 1) allowance.observe(calm, 0);
  t.is(allowance.allowedJobs, 1);
  after(2, calm, allowance);
  const { allowedJobs } = allowance;
  allowance.observe(calm, allowedJobs / 2 - 1);
  allowance.observe({ ...calm, clients: true }, allowedJobs - 1);
  t.is(allowance.allowedJobs, allowedJobs);
});

test('a late event loop reduces the number of allowed jobs, down to one, and a calm one restores it', (t) => {
  const allowance = after(100, calm);
  after(3, late, allowance);
  t.true(allowance.allowedJobs < LIMIT / 2);
  after(100, late, allowance);
  t.is(allowance.allowedJobs, 1);
  after(100, calm, allowance);
  t.is(allowance.allowedJobs, LIMIT);
});

test('the event loop may be later while no client waits', (t) => {
  t.is(after(100, { ...late, clients: false }).allowedJobs, LIMIT);
  t.is(after(100, late).allowedJobs, 1);
});

test('a waiting client does not reduce the number of allowed jobs while the event loop is on time', (t) => {
  t.is(after(100, { ...late, lateMs: 1 }).allowedJobs, LIMIT);
});

test('an event loop that is on time but busy starts no job while a client waits', (t) => {
  const allowance = after(100, calm);
  allowance.observe({ ...calm, busy: 0.95 }, LIMIT);
  t.is(allowance.allowedJobs, LIMIT);
  t.true(allowance.mayStart(0, 100));
  allowance.observe({ ...calm, busy: 0.95, clients: true }, LIMIT);
  t.true(allowance.allowedJobs < LIMIT);
  t.false(allowance.mayStart(0, 100));
  t.true(allowance.holdsBack);
  t.false(allowance.clientsFirst, 'what is in work continues');
});

test('the number of allowed jobs grows step by step while clients wait, and quickly while none does', (t) => {
  const waiting = { ...calm, clients: true };
  t.is(after(10, waiting, after(100, late)).allowedJobs, 11);
  t.is(after(11, calm, after(100, late)).allowedJobs, LIMIT);
});

test('however late the event loop is, a job may start every second, up to the limit', (t) => {
  const allowance = after(100, late);
  t.true(allowance.clientsFirst);
  t.false(allowance.mayStart(0, 999), 'clients first');
  t.true(allowance.mayStart(0, 1_000));
  t.true(allowance.mayStart(LIMIT - 1, 1_000));
  t.false(allowance.mayStart(LIMIT, 1_000));
});

test('a very late event loop reduces the number of allowed jobs without clients too', (t) => {
  t.is(after(100, { ...calm, lateMs: 300 }).allowedJobs, 1);
});

for (const [count, clients] of [
  [8, true],
  [16, false],
] as const) {
  test(`${count} jobs may start together ${clients ? 'while clients wait' : 'while none waits'}, and the next ones 100 ms after the last of them`, (t) => {
    const allowance = after(100, { ...calm, clients });
    for (let inWork = 0; inWork < count; inWork += 1) {
      t.true(allowance.mayStart(inWork, inWork === 0 ? 100 : 49));
      allowance.started(inWork === 0 ? 100 : 49);
    }
    t.false(allowance.mayStart(count, 49));
    t.false(allowance.mayStart(count, 99));
    t.true(allowance.mayStart(count, 100));
  });
}

test('a group that has paused is complete', (t) => {
  const allowance = after(100, calm);
  allowance.started(100);
  t.false(allowance.mayStart(1, 50));
  t.true(allowance.mayStart(1, 100));
});

test('no group starts before there is room for one, or for half of the allowed jobs', (t) => {
  const allowance = after(100, calm);
  t.false(allowance.mayStart(LIMIT - 15, 100));
  t.true(allowance.mayStart(LIMIT - 16, 100));
  const few = after(4, { ...calm, clients: true }, after(100, late));
  t.is(few.allowedJobs, 5);
  t.false(few.mayStart(3, 100));
  t.true(few.mayStart(2, 100));
});
