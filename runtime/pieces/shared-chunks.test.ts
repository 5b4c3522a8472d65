import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { Cancelled } from '#protocols/errors';
import { type ChunkPlace, type Lent, SharedChunks } from './shared-chunks.ts';

/** Chunks of ten bytes that come when the test says so. */
function source() {
  const coming: { readonly seq: number; come(): void; fail(): void }[] = [];
  const place = (seq: number): ChunkPlace => ({
    seq,
    length: 10,
    load: () =>
      new Promise((resolve, reject) => {
        coming.push({
          seq,
          come: () => resolve(new Uint8Array(10).fill(seq)),
          fail: () => reject(new Error(`lost ${seq}`)),
        });
      }),
  });
  return { coming, place, asked: () => coming.map(({ seq }) => seq) };
}

test('simultaneous readers of a chunk share one read', async (t) => {
  const chunks = new SharedChunks({ window: 20, memory: 40 });
  const { coming, place } = source();
  const both = [chunks.borrow(place(1), 'first'), chunks.borrow(place(1), 'first')];
  t.is(coming.length, 1);
  coming[0]?.come();
  const [one, other] = await Promise.all(both);
  t.is(one, other);
  t.is(chunks.held, 10);
});

test('chunks in transit and chunks held are bounded, and first chunks alternate with later ones', async (t) => {
  const chunks = new SharedChunks({ window: 20, memory: 30 });
  const { coming, place, asked } = source();
  const lent = [1, 2, 3, 4].map((seq) => chunks.borrow(place(seq), 'further'));
  lent.push(chunks.borrow(place(5), 'first'), chunks.borrow(place(6), 'first'));
  t.deepEqual(asked(), [1, 2]);
  t.is(chunks.borrowAhead(place(7)), undefined, 'others wait');
  coming[0]?.come();
  const first = (await lent[0]) as Lent;
  t.deepEqual(asked(), [1, 2, 5]);
  coming[1]?.come();
  const second = (await lent[1]) as Lent;
  t.deepEqual(asked(), [1, 2, 5], 'three chunks are held');
  chunks.giveBack(first);
  t.deepEqual(asked(), [1, 2, 5, 3]);
  chunks.giveBack(second);
  coming[2]?.come();
  await lent[4];
  t.deepEqual(asked(), [1, 2, 5, 3, 6]);
});

test('the memory of a chunk is used again once all who had it have read it once', async (t) => {
  const chunks = new SharedChunks({ window: 20, memory: 40 });
  const { coming, place } = source();
  const reused: Uint8Array[] = [];
  const lent = [1, 1, 2, 2].map((seq) =>
    chunks.borrow({ ...place(seq), reuse: (bytes) => reused.push(bytes) }, 'first'),
  );
  for (const { come } of coming) come();
  const [one, same, other, sameOther] = (await Promise.all(lent)) as [Lent, Lent, Lent, Lent];
  const { bytes } = one;
  chunks.giveBack(one, 'read once');
  t.deepEqual(reused, []);
  chunks.giveBack(same, 'read once');
  t.deepEqual(reused, [bytes]);
  chunks.giveBack(other);
  chunks.giveBack(sameOther, 'read once');
  t.is(reused.length, 1, 'the first may still read it');
});

test('a chunk stays in memory for the next reader, unless it is given back as read once', async (t) => {
  const chunks = new SharedChunks({ window: 20, memory: 40 });
  const { coming, place } = source();
  const lent = [1, 2].map((seq) => chunks.borrow(place(seq), 'first'));
  for (const { come } of coming) come();
  const [kept, once] = await Promise.all(lent);
  chunks.giveBack(kept as Lent);
  t.is(chunks.held, 20);
  chunks.giveBack(once as Lent, 'read once');
  t.is(chunks.held, 10);
});

test('a holder of spare chunks is asked to give them back', async (t) => {
  const chunks = new SharedChunks({ window: 20, memory: 20 });
  const { coming, place, asked } = source();
  const held: Lent[] = [];
  chunks.join(() => {
    for (const lent of held.splice(0)) chunks.giveBack(lent);
  });
  for (const seq of [1, 2]) {
    const lent = chunks.borrow(place(seq), 'first');
    coming[seq - 1]?.come();
    held.push(await lent);
  }
  void chunks.borrow(place(3), 'first');
  t.deepEqual(asked(), [1, 2, 3]);
  t.is(chunks.held, 10);
});

test('half of the memory may be pinned, whoever shares a chunk', async (t) => {
  const chunks = new SharedChunks({ window: 40, memory: 40 });
  const { coming, place } = source();
  const lent = [1, 1, 2, 3].map((seq) => chunks.borrow(place(seq), 'first'));
  for (const { come } of coming) come();
  const [one, same, other, third] = (await Promise.all(lent)) as [Lent, Lent, Lent, Lent];
  t.deepEqual(
    [one, same, other, third].map((each) => chunks.pin(each)),
    [true, true, true, false],
  );
  chunks.unpin(one);
  t.false(chunks.pin(third), 'another has it still');
  chunks.unpin(same);
  t.true(chunks.pin(third));
});

test('a failure reaches all who wait for the chunk, and the next one reads it again', async (t) => {
  const chunks = new SharedChunks({ window: 20, memory: 20 });
  const { coming, place } = source();
  const both = [chunks.borrow(place(1), 'first'), chunks.borrow(place(1), 'further')];
  coming[0]?.fail();
  for (const lent of both) await t.throwsAsync(lent, { message: 'lost 1' });
  t.is(chunks.held, 0);
  const again = chunks.borrow(place(1), 'first');
  coming[1]?.come();
  t.is((await again).bytes[0], 1);
});

test('who gives up waiting leaves the line', async (t) => {
  const chunks = new SharedChunks({ window: 10, memory: 20 });
  const { coming, place, asked } = source();
  void chunks.borrow(place(1), 'first');
  const gone = new AbortController();
  const given = chunks.borrow(place(2), 'first', gone.signal);
  void chunks.borrow(place(3), 'first');
  gone.abort();
  await t.throwsAsync(given, { instanceOf: Cancelled });
  coming[0]?.come();
  await turn();
  t.deepEqual(asked(), [1, 3]);
});

test('whatever readers do, the bounds hold and everybody gets the right bytes', async (t) => {
  const reader = fc.array(fc.nat(9), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(reader, { minLength: 1, maxLength: 8 }),
      fc.infiniteStream(fc.nat(3)),
      async (readers, pauses) => {
        const chunks = new SharedChunks({ window: 20, memory: 30 });
        let coming = 0;
        const place = (seq: number): ChunkPlace => ({
          seq,
          length: 10,
          async load() {
            coming += 1;
            t.true(coming <= 2 && chunks.held <= 30);
            for (let i = pauses.next().value ?? 0; i > 0; i--) await turn();
            coming -= 1;
            return new Uint8Array(10).fill(seq);
          },
        });
        await Promise.all(
          readers.map(async (sequence) => {
            for (const [i, seq] of sequence.entries()) {
              const lent = await chunks.borrow(place(seq), i === 0 ? 'first' : 'further');
              t.is(lent.bytes[9], seq);
              for (let n = pauses.next().value ?? 0; n > 0; n--) await turn();
              t.is(lent.bytes[9], seq);
              chunks.giveBack(lent);
            }
          }),
        );
      },
    ),
    { numRuns: 50 },
  );
});

test('what stayed for further readers is used again once it goes, unless somebody may still read it', async (t) => {
  const chunks = new SharedChunks({ window: 20, memory: 20 });
  const { coming, place } = source();
  const reused: Uint8Array[] = [];
  const lent = [1, 2].map((seq) =>
    chunks.borrow({ ...place(seq), reuse: (bytes) => reused.push(bytes) }, 'first'),
  );
  for (const { come } of coming) come();
  const [read, inUse] = (await Promise.all(lent)) as [Lent, Lent];
  const { bytes } = read;
  chunks.giveBack(read, 'read');
  chunks.giveBack(inUse);
  t.is(chunks.held, 20);
  for (const seq of [3, 4]) void chunks.borrow(place(seq), 'first');
  t.deepEqual(reused, [bytes]);
});
