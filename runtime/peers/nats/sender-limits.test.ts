import test from 'ava';
import { Retryable, Terminal } from '#protocols/errors';
import { silentLogger } from '../../telemetry/logger.ts';
import { SenderLimits } from './sender-limits.ts';

const forged = new Terminal({ code: 'forged', message: 'Nobody signed it.' });
const never = new AbortController().signal;

test('a sender of too many invalid messages is ignored for a while, others are not', async (t) => {
  const senderLimits = new SenderLimits(silentLogger);
  for (let i = 0; i < 1_000; i++) senderLimits.rejected(3, forged, 'rejected');
  t.false(senderLimits.allows(3));
  t.true(senderLimits.allows(4));
  await senderLimits.untilAllowed(3, never);
  t.true(senderLimits.allows(3));
  senderLimits.charge(3);
  t.false(senderLimits.allows(3), 'one at a time from then on');
});

test('errors that may be our own are charged to nobody', (t) => {
  const senderLimits = new SenderLimits(silentLogger);
  const ours = new Retryable({ code: 'chain-unavailable', message: 'The chain is away.' });
  for (let i = 0; i < 1_000; i++) senderLimits.rejected(3, ours, 'rejected');
  t.true(senderLimits.allows(3));
});

test('the wait for a sender ends with the signal', async (t) => {
  const senderLimits = new SenderLimits(silentLogger);
  for (let i = 0; i < 1_000; i++) senderLimits.charge(3);
  await senderLimits.untilAllowed(3, AbortSignal.abort());
  t.false(senderLimits.allows(3));
});
