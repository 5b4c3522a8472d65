import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Cancelled } from '#protocols/errors';
import { Background } from './background.ts';
import { type LoopSample, watchEventLoop } from './event-loop.ts';
import { processorWaitMs } from './processor-wait.ts';

/** Keeps the event loop busy, so that it comes to nothing else. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('an event loop that is blocked repeatedly is measured as late', async (t) => {
  const seen: number[] = [];
  const watch = watchEventLoop(50, ({ lateMs }) => seen.push(lateMs));
  t.teardown(() => watch.stop());
  while (!seen.some((lateMs) => lateMs > 15)) {
    block(60);
    await sleep(1);
  }
  t.pass();
});

test('an event loop that is late by its own work is late without the other processes too', async (t) => {
  const seen: LoopSample[] = [];
  const watch = watchEventLoop(50, (sample) => seen.push(sample));
  t.teardown(() => watch.stop());
  while (!seen.some(({ ownLateMs = 0 }) => ownLateMs > 15)) {
    block(60);
    await sleep(1);
    if (seen.length > 3 && processorWaitMs() === undefined) break;
  }
  t.true(seen.every(({ lateMs, ownLateMs = 0 }) => ownLateMs <= lateMs));
});

test('while a client waits and the event loop is late, jobs wait and the reason is reported', async (t) => {
  const background = new Background(4);
  t.teardown(() => background.close());
  const answered = background.requestStarted();
  while (background.report.eventLoop.lateMs < 15) {
    block(60);
    await sleep(1);
  }
  background.jobStarted();
  const reasons: string[] = [];
  const stop = new AbortController();
  const room = background.untilJobMayStart(stop.signal, (why) => {
    reasons.push(why);
    stop.abort();
  });
  await t.throwsAsync(room, { instanceOf: Cancelled });
  t.regex(reasons[0] ?? '', /^clients, who come first \(event loop \d+ ms late, \d+ % busy\)$/);
  answered();
  answered();
  t.is(background.report.requests, 0);
});

test('a node with nothing to do does not watch its event loop', async (t) => {
  const background = new Background(1);
  t.teardown(() => background.close());
  const end = background.jobStarted();
  while (background.report.eventLoop.worstMs < 15) {
    block(60);
    await sleep(1);
  }
  end();
  while (background.report.eventLoop.worstMs > 0) await sleep(20);
  background.jobStarted();
  while (background.report.eventLoop.worstMs < 15) {
    block(60);
    await sleep(1);
  }
  t.pass();
});

test('a job that only waits, or has ended, makes room for one other job', async (t) => {
  const background = new Background(1);
  t.teardown(() => background.close());
  const { signal } = new AbortController();
  await background.untilJobMayStart(signal);
  const leave = background.jobStarted();
  const next = background.untilJobMayStart(signal);
  t.is(
    await Promise.race([next, sleep(1_200, 'waits')]),
    'waits',
    'the limit holds for starts that are due, too',
  );
  leave();
  leave();
  await next;
  t.is(background.report.jobs.inWork, 0);
});
