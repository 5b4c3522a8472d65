import test from 'ava';
import { Allowance } from './allowance.ts';

const LIMIT = 64;
const calm = { lateMs: 0, clients: false };
const busy = { lateMs: 40, clients: true };

/** The allowance after some samples of the same load, with all allowed jobs in work. */
function after(
  samples: number,
  load: { lateMs: number; clients: boolean },
  allowance = new Allowance(LIMIT),
) {
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
});

test('a late event loop reduces the number of allowed jobs, down to one, and a calm one restores it', (t) => {
  const allowance = after(100, calm);
  after(3, busy, allowance);
  t.true(allowance.allowedJobs < LIMIT / 2);
  after(100, busy, allowance);
  t.is(allowance.allowedJobs, 1);
  after(100, calm, allowance);
  t.is(allowance.allowedJobs, LIMIT);
});

test('the event loop may be later while no client waits', (t) => {
  t.is(after(100, { lateMs: 60, clients: false }).allowedJobs, LIMIT);
  t.is(after(100, { lateMs: 60, clients: true }).allowedJobs, 1);
});

test('a waiting client does not reduce the number of allowed jobs while the event loop is on time', (t) => {
  t.is(after(100, { lateMs: 1, clients: true }).allowedJobs, LIMIT);
});

test('however late the event loop is, a job may start every second, up to the limit', (t) => {
  const allowance = after(100, busy);
  t.true(allowance.clientsFirst);
  t.false(allowance.mayStart(0, 999), 'clients first');
  t.true(allowance.mayStart(0, 1_000));
  t.true(allowance.mayStart(LIMIT - 1, 1_000));
  t.false(allowance.mayStart(LIMIT, 1_000));
});

test('a very late event loop reduces the number of allowed jobs without clients too', (t) => {
  t.is(after(100, { lateMs: 300, clients: false }).allowedJobs, 1);
});

test('eight jobs may start together, and the next ones 100 ms after the last of them', (t) => {
  const allowance = after(100, calm);
  for (let inWork = 0; inWork < 8; inWork += 1) {
    t.true(allowance.mayStart(inWork, inWork === 0 ? 100 : 24));
    allowance.started(inWork === 0 ? 100 : 24);
  }
  t.false(allowance.mayStart(8, 24));
  t.false(allowance.mayStart(8, 99));
  t.true(allowance.mayStart(8, 100));
});

test('a group that has paused is complete', (t) => {
  const allowance = after(100, calm);
  allowance.started(100);
  t.false(allowance.mayStart(1, 25));
  t.true(allowance.mayStart(1, 100));
});

test('no group starts before there is room for one, or for half of the allowed jobs', (t) => {
  const allowance = after(100, calm);
  t.false(allowance.mayStart(LIMIT - 7, 100));
  t.true(allowance.mayStart(LIMIT - 8, 100));
  const few = after(4, calm, after(100, busy));
  t.is(few.allowedJobs, 5);
  t.false(few.mayStart(3, 100));
  t.true(few.mayStart(2, 100));
});
