import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { Retryable, Terminal } from '#protocols/errors';
import { type PayloadPlan, planPayload } from '#protocols/payload/plan';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { readPayload } from './payload-reader.ts';

const JOB = { objectId: '4711', version: 0 };

function plan(payloadSize: number, maxSegmentSize: number): PayloadPlan {
  return planPayload({ payloadSize, maxSegmentSize, redundancy: 'EC', dataChunks: 4, parityChunks: 2 });
}

/** Segments of a payload whose byte i is i, read in chunks of two bytes. Opens and closes are recorded. */
function segments(cut: PayloadPlan): { pieces: PieceStore; notes: string[] } {
  const notes: string[] = [];
  const read: PieceStore['read'] = async function* (key, { offset = 0, length } = {}) {
    notes.push(`begin ${key}`);
    try {
      const segment = cut.segment(Number(key.split('+s')[1]));
      const first = segment.offset + offset;
      const end = Math.min(first + (length ?? segment.length), segment.offset + segment.length);
      for (let at = first; at < end; at += 2) {
        await turn();
        yield Uint8Array.from({ length: Math.min(2, end - at) }, (_, i) => at + i);
      }
    } finally {
      notes.push(`end ${key}`);
    }
  };
  return { pieces: { read } as PieceStore, notes };
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const chunk of chunks) bytes.push(...chunk);
  return bytes;
}

const never = new AbortController().signal;

test('any range of any payload is read in order', async (t) => {
  const cases = fc
    .record({ size: fc.integer({ min: 1, max: 60 }), segment: fc.integer({ min: 1, max: 20 }) })
    .chain(({ size, segment }) =>
      fc.record({
        cut: fc.constant(plan(size, segment)),
        ends: fc.tuple(fc.nat(size), fc.nat(size)),
      }),
    );
  await fc.assert(
    fc.asyncProperty(cases, async ({ cut, ends }) => {
      const [offset, end] = [Math.min(...ends), Math.max(...ends)];
      const { pieces, notes } = segments(cut);
      const range = { offset, length: end - offset };
      const bytes = await collect(readPayload({ pieces, job: JOB, plan: cut }, range, never));
      t.deepEqual(
        bytes,
        Array.from({ length: end - offset }, (_, i) => offset + i),
      );
      const touched = range.length
        ? Math.ceil(end / cut.maxSegmentSize) - Math.floor(offset / cut.maxSegmentSize)
        : 0;
      t.is(notes.filter((note) => note.startsWith('begin')).length, touched);
    }),
  );
});

test('one segment is fetched ahead, and no more', async (t) => {
  const cut = plan(12, 4);
  const { pieces, notes } = segments(cut);
  const chunks = readPayload({ pieces, job: JOB, plan: cut }, { offset: 0, length: 12 }, never);
  await chunks.next();
  t.deepEqual(notes, ['begin 4711+s0', 'begin 4711+s1']);
  await chunks.next();
  await chunks.next();
  t.deepEqual(notes, ['begin 4711+s0', 'begin 4711+s1', 'end 4711+s0', 'begin 4711+s2']);
  await chunks.return();
});

test('ending the iteration ends all reads, including the prefetch', async (t) => {
  const cut = plan(12, 4);
  const { pieces, notes } = segments(cut);
  const chunks = readPayload({ pieces, job: JOB, plan: cut }, { offset: 0, length: 12 }, never);
  await chunks.next();
  await chunks.return();
  await turn();
  await turn();
  t.deepEqual(notes.filter((note) => note.startsWith('end')).sort(), ['end 4711+s0', 'end 4711+s1']);
});

test('a segment of the wrong length is an error, not a gap', async (t) => {
  const wanted = { offset: 0, length: 12 };
  for (const [stored, planned] of [
    [plan(11, 4), plan(12, 4)],
    [plan(12, 6), plan(12, 4)],
  ] as const) {
    const chunks = readPayload({ pieces: segments(stored).pieces, job: JOB, plan: planned }, wanted, never);
    await t.throwsAsync(collect(chunks), { instanceOf: Retryable, code: 'piece-corrupt' });
  }
});

/** The same segments, some of which fail at a byte; one that fails at byte 0 is missing. */
function broken(cut: PayloadPlan, breaks: Readonly<Record<number, number>>): PieceStore {
  const { pieces } = segments(cut);
  const read: PieceStore['read'] = async function* (key, { offset = 0, length, ...rest } = {}) {
    const at = breaks[Number(key.split('+s')[1])];
    let next = offset;
    for await (const chunk of pieces.read(key, {
      offset,
      ...(length !== undefined && { length }),
      ...rest,
    })) {
      if (at !== undefined && next + chunk.length > at) {
        throw at === 0
          ? new Terminal({ code: 'piece-missing', message: 'It is gone.' })
          : new Retryable({ code: 'piece-corrupt', message: 'A chunk is gone.' });
      }
      next += chunk.length;
      yield chunk;
    }
  };
  return { read } as PieceStore;
}

test('missing and damaged segments are restored, and no byte is sent twice', async (t) => {
  const cases = fc
    .record({ size: fc.integer({ min: 1, max: 60 }), segment: fc.integer({ min: 1, max: 20 }) })
    .chain(({ size, segment }) => {
      const cut = plan(size, segment);
      return fc.record({
        cut: fc.constant(cut),
        ends: fc.tuple(fc.nat(size), fc.nat(size)),
        breaks: fc.dictionary(fc.nat(cut.segmentCount - 1).map(String), fc.nat(segment)),
      });
    });
  await fc.assert(
    fc.asyncProperty(cases, async ({ cut, ends, breaks }) => {
      const [offset, end] = [Math.min(...ends), Math.max(...ends)];
      const recover = async (index: number) => {
        const { offset: first, length } = cut.segment(index);
        return Uint8Array.from({ length }, (_, i) => first + i);
      };
      const source = { pieces: broken(cut, breaks), job: JOB, plan: cut, recover };
      const bytes = await collect(readPayload(source, { offset, length: end - offset }, never));
      t.deepEqual(
        bytes,
        Array.from({ length: end - offset }, (_, i) => offset + i),
      );
    }),
  );
});

test('a response whose sent bytes turn out to be wrong is aborted', async (t) => {
  const cut = plan(12, 6);
  const recover = async () => Uint8Array.from([6, 99, 8, 9, 10, 11]);
  const chunks = readPayload(
    { pieces: broken(cut, { 1: 4 }), job: JOB, plan: cut, recover },
    { offset: 0, length: 12 },
    never,
  );
  await t.throwsAsync(collect(chunks), { code: 'piece-corrupt' });
});

test('when a segment cannot be restored, the reader gets the error of the stored one', async (t) => {
  const cut = plan(12, 6);
  const source = { pieces: broken(cut, { 1: 0 }), job: JOB, plan: cut };
  const read = (more: object) =>
    collect(readPayload({ ...source, ...more }, { offset: 0, length: 12 }, never));
  await t.throwsAsync(read({}), { code: 'piece-missing' });
  const unsealed = () => Promise.reject(new Terminal({ code: 'not-sealed', message: 'Not yet.' }));
  await t.throwsAsync(read({ recover: unsealed }), { code: 'piece-missing' });
  const away = () => Promise.reject(new Retryable({ code: 'too-few-pieces', message: 'All are away.' }));
  await t.throwsAsync(read({ recover: away }), { code: 'too-few-pieces' });
});
