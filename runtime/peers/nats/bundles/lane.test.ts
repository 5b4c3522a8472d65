import { setTimeout as sleep } from 'node:timers/promises';
import { type Deferred, deferred } from '@nats-io/nats-core';
import test from 'ava';
import fc from 'fast-check';
import { Retryable, type SealionError } from '#protocols/errors';
import { Lane, type LaneLimits } from './lane.ts';

const LIMITS: LaneLimits = {
  letters: 4,
  bytes: 100,
  waiting: 50,
  gatherMs: 0,
  maxGatherMs: 60_000,
  pause: async () => {},
};

/** A lane whose bundles arrive when the test says so. */
function slowLane(limits = LIMITS) {
  const sent: (readonly number[])[] = [];
  const under: Deferred<void>[] = [];
  const lost: [number, string][] = [];
  let idle = 0;
  const lane = new Lane<number>(
    limits,
    (letters) => {
      sent.push(letters);
      const arrival = deferred<void>();
      under.push(arrival);
      return arrival;
    },
    () => {
      idle += 1;
    },
  );
  const onLost = (letter: number) => (error: SealionError) => lost.push([letter, error.code]);
  const post = (letter: number, bytes = 10) => lane.post(letter, bytes, onLost(letter));
  return { lane, post, sent, under, lost, idle: () => idle };
}

test('letters posted within the time for gathering share a bundle', async (t) => {
  const { post, sent } = slowLane();
  post(1);
  post(2);
  await sleep(5);
  t.deepEqual(sent, [[1, 2]]);
});

test('a bundle waits while letters keep coming, within the bounds', async (t) => {
  for (const { letters, maxGatherMs, first } of [
    { letters: 4, maxGatherMs: 60_000, first: [1, 2, 3] },
    { letters: 2, maxGatherMs: 60_000, first: [1, 2] },
    { letters: 4, maxGatherMs: 0, first: [1] },
  ]) {
    const coming = [2, 3];
    const { post, sent } = slowLane({
      ...LIMITS,
      letters,
      maxGatherMs,
      pause: async () => {
        for (const letter of coming.splice(0, 1)) post(letter);
      },
    });
    post(1);
    await sleep(5);
    t.deepEqual(sent, [first]);
  }
});

test('a letter that is withdrawn before its bundle leaves nothing to send', async (t) => {
  const { lane, post, sent, idle } = slowLane();
  post(1);
  lane.withdraw(1);
  await sleep(5);
  t.deepEqual(sent, []);
  t.is(idle(), 1);
});

test('letters posted while a bundle is in transit form the next ones, within the bounds', async (t) => {
  const { post, sent, under, idle } = slowLane();
  post(0);
  await sleep(5);
  for (let letter = 1; letter <= 6; letter++) post(letter);
  post(7, 95);
  post(8);
  t.deepEqual(sent, [[0]]);
  for (let at = 0; at < 4; at++) {
    under[at]?.resolve();
    await sleep(5);
  }
  t.deepEqual(sent, [[0], [1, 2, 3, 4], [5, 6], [7], [8]]);
  t.is(idle(), 0);
  under[4]?.resolve();
  await sleep(5);
  t.is(idle(), 1);
});

test('a waiting letter is sent once however often it is posted, and not at all when it is withdrawn', async (t) => {
  const { lane, post, sent, under } = slowLane();
  post(0);
  await sleep(5);
  for (const letter of [1, 2, 1, 3, 1]) post(letter);
  lane.withdraw(2);
  under[0]?.resolve();
  await sleep(5);
  t.deepEqual(sent, [[0], [1, 3]]);
});

test('a lost bundle loses its own letters and no others', async (t) => {
  const { post, sent, under, lost } = slowLane();
  post(1);
  post(2);
  await sleep(5);
  post(3);
  under[0]?.reject(new Retryable({ code: 'peer-unreachable', message: 'gone' }));
  await sleep(5);
  t.deepEqual(lost, [
    [1, 'peer-unreachable'],
    [2, 'peer-unreachable'],
  ]);
  t.deepEqual(sent, [[1, 2], [3]]);
});

test('a letter that is too long, or has too many waiting before it, is lost at once', async (t) => {
  const { post, lost } = slowLane({ ...LIMITS, waiting: 2 });
  post(1, 101);
  for (const letter of [2, 3, 4]) post(letter);
  t.deepEqual(
    lost.map(([letter]) => letter),
    [1, 4],
  );
});

test('letters are sent once, in order, within the bounds, and one bundle at a time', async (t) => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 100 }).map((bytes) => ({ bytes })) },
    { weight: 2, arbitrary: fc.boolean().map((arrives) => ({ arrives })) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { post, sent, under, lost } = slowLane();
      const bytes: number[] = [];
      let ended = 0;
      const end = async (arrives: boolean) => {
        const arrival = under[ended];
        if (!arrival) return;
        ended += 1;
        if (arrives) arrival.resolve();
        else arrival.reject(new Retryable({ code: 'lost', message: 'lost' }));
        await sleep(2);
      };
      for (const one of steps) {
        if ('bytes' in one) post(bytes.push(one.bytes) - 1, one.bytes);
        else await end(one.arrives);
        t.true(under.length - ended <= 1);
      }
      await sleep(5);
      while (ended < under.length) await end(true);
      await sleep(5);
      while (ended < under.length) await end(true);
      t.deepEqual(
        sent.flat(),
        bytes.map((_, letter) => letter),
      );
      for (const bundle of sent) {
        t.true(bundle.length > 0 && bundle.length <= LIMITS.letters);
        t.true(bundle.reduce((sum, letter) => sum + (bytes[letter] ?? 0), 0) <= LIMITS.bytes);
      }
      t.is(new Set(lost.map(([letter]) => letter)).size, lost.length);
    }),
    { numRuns: 100 },
  );
});
