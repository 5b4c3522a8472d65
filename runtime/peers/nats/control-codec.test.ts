import test from 'ava';
import { Retryable } from '#protocols/errors';
import { codecOf, PROVIDERS } from '../testing/peers.ts';

const about = { job: { objectId: '4711', version: 0 }, gvgId: 77, redundancyIndex: 0 };

async function refusal(): Promise<Uint8Array> {
  const body = { re: '00'.repeat(16), code: 'busy', reason: 'No room.', again: true };
  const draft = { kind: 'refusal', to: 1, about, expiresAt: Date.now() + 60_000, body } as const;
  return (await codecOf(2).seal(draft)).bytes;
}

test('while the chain is unreachable, messages are verified by the keys that it named last', async (t) => {
  let away = false;
  const codec = codecOf(1, {
    providers: async () => {
      if (away) throw new Retryable({ code: 'chain-unavailable', message: 'No chain.' });
      return PROVIDERS;
    },
  });
  const expected = { kinds: ['refusal'], from: 2, about } as const;
  await codec.open(await refusal(), expected);
  away = true;
  t.is((await codec.open(await refusal(), expected)).body.code, 'busy');
  await t.throwsAsync(codec.open(await refusal(), { ...expected, from: 3 }), {
    code: 'control-wrong-sender',
  });
});

test('a message that arrives before the chain was ever reached is a retryable failure', async (t) => {
  const codec = codecOf(1, {
    providers: async () => {
      throw new Retryable({ code: 'chain-unavailable', message: 'No chain.' });
    },
  });
  const error = await t.throwsAsync(codec.open(await refusal(), { kinds: ['refusal'], from: 2, about }));
  t.like(error, { code: 'chain-unavailable', kind: 'retryable' });
});
