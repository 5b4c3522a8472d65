import test from 'ava';
import { silentLogger } from '#runtime/telemetry/logger';
import { retryUntilUp } from './retry-until-up.ts';

test('what does not answer is logged, and no longer waited for when the node stops', async (t) => {
  const stopping = new AbortController();
  let waiting: Promise<unknown> = Promise.resolve();
  const logged = new Promise<string>((resolve) => {
    const log = { ...silentLogger, warn: (_fields: object, message: string) => resolve(message) };
    const options = { log, signal: stopping.signal, remindMs: 10 };
    waiting = retryUntilUp('the chain', () => new Promise(() => undefined), options);
  });
  t.is(await logged, 'waiting for the chain: no answer yet');
  stopping.abort();
  await t.throwsAsync(waiting, { name: 'Cancelled' });
});
