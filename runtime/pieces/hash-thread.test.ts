import { createHash, randomBytes } from 'node:crypto';
import test from 'ava';
import { type HashState, HashThread } from './hash-thread.ts';

const MiB = 2 ** 20;

function sha256(...parts: readonly Uint8Array[]): string {
  return createHash('sha256').update(Buffer.concat(parts)).digest('hex');
}

test('bytes of any length are hashed in their order, and many hashes at a time', async (t) => {
  const thread = new HashThread();
  const payloads = Array.from({ length: 5 }, (_, i) =>
    [0, 1, MiB, 2.5 * MiB, 100 + i].map((length) => randomBytes(length)),
  );
  const digests = payloads.map((parts) => {
    let state: HashState = thread.nothing;
    for (const part of parts) state = thread.update(state, part).state;
    return thread.digest(state);
  });
  t.deepEqual(
    await Promise.all(digests),
    payloads.map((parts) => sha256(...parts)),
  );
  t.is(await thread.digest(thread.nothing), sha256());
});

test('a state may be followed by different bytes', async (t) => {
  const thread = new HashThread();
  const [begin, one, other] = [randomBytes(10), randomBytes(10), randomBytes(10)];
  const { state } = thread.update(thread.nothing, begin);
  const ends = [one, other].map((end) => thread.digest(thread.update(state, end).state));
  t.deepEqual(await Promise.all(ends), [sha256(begin, one), sha256(begin, other)]);
});

test('bytes may change once they are taken', async (t) => {
  const thread = new HashThread();
  const bytes = randomBytes(MiB);
  const expected = sha256(bytes, bytes, bytes, bytes, bytes, bytes);
  let state: HashState = thread.nothing;
  for (let i = 0; i < 6; i += 1) {
    const copy = Buffer.from(bytes);
    const hashing = thread.update(state, copy);
    await hashing.taken;
    copy.fill(0);
    state = hashing.state;
  }
  t.is(await thread.digest(state), expected);
});
