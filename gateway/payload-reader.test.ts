import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { Retryable } from '../protocols/errors.ts';
import { type PayloadPlan, planPayload } from '../protocols/payload/plan.ts';
import type { PieceStore } from '../runtime/pieces/piece-store.ts';
import { readPayload } from './payload-reader.ts';

const JOB = { objectId: '4711', version: 0 };

function plan(payloadSize: number, maxSegmentSize: number): PayloadPlan {
  return planPayload({ payloadSize, maxSegmentSize, redundancy: 'EC', dataChunks: 4, parityChunks: 2 });
}

/** Byte i of the payload is i; segments come in chunks of two bytes. What happens is noted. */
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

test('any part of any payload comes in order', async (t) => {
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
      const bytes = await collect(readPayload(pieces, JOB, cut, range, never));
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
  const chunks = readPayload(pieces, JOB, cut, { offset: 0, length: 12 }, never);
  await chunks.next();
  t.deepEqual(notes, ['begin 4711+s0', 'begin 4711+s1']);
  await chunks.next();
  await chunks.next();
  t.deepEqual(notes, ['begin 4711+s0', 'begin 4711+s1', 'end 4711+s0', 'begin 4711+s2']);
  await chunks.return();
});

test('ending the iteration ends the reads, also the one ahead', async (t) => {
  const cut = plan(12, 4);
  const { pieces, notes } = segments(cut);
  const chunks = readPayload(pieces, JOB, cut, { offset: 0, length: 12 }, never);
  await chunks.next();
  await chunks.return();
  await turn();
  await turn();
  t.deepEqual(notes.filter((note) => note.startsWith('end')).sort(), ['end 4711+s0', 'end 4711+s1']);
});

test('a segment of the wrong length is a fault, not a gap', async (t) => {
  const wanted = { offset: 0, length: 12 };
  for (const [stored, planned] of [
    [plan(11, 4), plan(12, 4)],
    [plan(12, 6), plan(12, 4)],
  ] as const) {
    const chunks = readPayload(segments(stored).pieces, JOB, planned, wanted, never);
    await t.throwsAsync(collect(chunks), { instanceOf: Retryable, code: 'piece-corrupt' });
  }
});
