import test from 'ava';
import { Retryable, Terminal } from '#protocols/errors';
import { silentLogger } from '../../telemetry/logger.ts';
import { Strangers } from './strangers.ts';

const forged = new Terminal({ code: 'forged', message: 'Nobody signed it.' });
const never = new AbortController().signal;

test('a sender of too many invalid messages is ignored for a while, others are not', async (t) => {
  const strangers = new Strangers(silentLogger);
  for (let i = 0; i < 1_000; i++) strangers.refused(3, forged, 'rejected');
  t.false(strangers.heard(3));
  t.true(strangers.heard(4));
  await strangers.untilHeard(3, never);
  t.true(strangers.heard(3));
  strangers.charge(3);
  t.false(strangers.heard(3), 'one at a time from then on');
});

test('errors that may be our own are charged to nobody', (t) => {
  const strangers = new Strangers(silentLogger);
  const ours = new Retryable({ code: 'chain-unavailable', message: 'The chain is away.' });
  for (let i = 0; i < 1_000; i++) strangers.refused(3, ours, 'rejected');
  t.true(strangers.heard(3));
});

test('the wait for a sender ends with the signal', async (t) => {
  const strangers = new Strangers(silentLogger);
  for (let i = 0; i < 1_000; i++) strangers.charge(3);
  await strangers.untilHeard(3, AbortSignal.abort());
  t.false(strangers.heard(3));
});
