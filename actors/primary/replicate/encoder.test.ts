import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import type { SealionError } from '#protocols/errors';
import { segmentKey } from '#protocols/payload/keys';
import { planPayload } from '#protocols/payload/plan';
import { redundancyCode } from '#protocols/payload/redundancy';
import type { Ref } from '#runtime/actors/types';
import { ByteBudget } from '#runtime/async/byte-budget';
import { ReusedMemory } from '#runtime/async/reused-memory';
import { Background } from '#runtime/load/background';
import { newJob, withStage } from '../../testing/stage.ts';
import { type EncoderMessage, encoder } from './encoder.ts';

const stage = withStage(test);

interface Setting {
  readonly payloadSize?: number;
  readonly redundancy?: 'EC' | 'REPLICA';
  /** Bytes of the node's budget. */
  readonly memory?: number;
  /** Segment that is missing from the store. */
  readonly without?: number;
  readonly maxSegmentSize?: number;
  readonly shardMemory?: ReusedMemory;
}

const shardMemory = new ReusedMemory(2 ** 20);
const background = new Background(1);
test.after.always(() => background.close());

async function feed(t: ExecutionContext, setting: Setting = {}) {
  const { payloadSize = 5_000, redundancy = 'EC', maxSegmentSize = 1_001 } = setting;
  const context = newJob({ payloadSize, maxSegmentSize, redundancy });
  const plan = planPayload(context.object);
  const payload = randomBytes(payloadSize);
  const pieces = await stage().pieces();
  const segments = Array.from({ length: plan.segmentCount }, (_, i) => {
    const { offset, length } = plan.segment(i);
    return payload.subarray(offset, offset + length);
  });
  for (const [i, segment] of segments.entries()) {
    if (i !== setting.without) await pieces.put(segmentKey(context.id, i), segment);
  }
  const memory = new ByteBudget(setting.memory ?? 1_000_000);
  const system = stage().system(t);
  const options = { context, pieces, memory, background, shardMemory: setting.shardMemory ?? shardMemory };
  const ref = system.spawn('encoder', encoder(options));
  const code = redundancyCode(plan);
  const expected = segments.map((segment) => code.encode(segment).map((shard) => Buffer.from(shard)));
  return { ref, plan, memory, expected, system, pieces, context };
}

function pull(ref: Ref<EncoderMessage>, segmentIndex: number, redundancyIndex: number): Promise<Uint8Array> {
  return ref.ask<Uint8Array>((reply) => ({ type: 'piece', segmentIndex, redundancyIndex, reply }));
}

async function column(
  ref: Ref<EncoderMessage>,
  segments: number,
  redundancyIndex: number,
): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for (let i = 0; i < segments; i += 1) pieces.push(Buffer.from(await pull(ref, i, redundancyIndex)));
  return pieces;
}

for (const redundancy of ['EC', 'REPLICA'] as const) {
  test(`six columns read in parallel each get their piece of every segment, ${redundancy}`, async (t) => {
    const { ref, plan, memory, expected } = await feed(t, { redundancy });
    const columns = await Promise.all(
      Array.from({ length: plan.columnCount }, (_, index) => column(ref, plan.segmentCount, index)),
    );
    for (const [index, pieces] of columns.entries()) {
      t.deepEqual(
        pieces,
        expected.map((shards) => shards[index] as Buffer),
        `column ${index}`,
      );
    }
    t.is(memory.used, 0, 'what all have taken is given back');
  });
}

test('a column that starts after the others have finished gets every piece, data and parity', async (t) => {
  const { ref, plan, expected } = await feed(t);
  const fast = [1, 2, 3, 5];
  await Promise.all(fast.map((index) => column(ref, plan.segmentCount, index)));
  for (const late of [0, 4]) {
    t.deepEqual(
      await column(ref, plan.segmentCount, late),
      expected.map((shards) => shards[late] as Buffer),
    );
  }
});

test('a late piece needs no memory for the others once it is computed', async (t) => {
  const reused = new ReusedMemory(2 ** 20);
  let kept = () => 0;
  reused.watch({ watchBound: () => undefined, watchCache: ({ size }) => (kept = size) }, 'shards');
  const shard = 64 * 1024;
  const { ref, expected } = await feed(t, {
    payloadSize: 8 * shard,
    maxSegmentSize: 4 * shard,
    shardMemory: reused,
  });
  await Promise.all([0, 1, 2, 3, 5].map((index) => column(ref, 2, index)));
  // As when another user of the memory waits: nothing is left in the window.
  ref.tell({ type: 'shortage' });
  t.is(kept(), 0);
  t.deepEqual(Buffer.from(await pull(ref, 0, 4)), expected[0]?.[4]);
  t.is(kept(), 5 * shard);
});

test('a column that stops reading does not block the others, even with memory for one segment', async (t) => {
  const { ref, plan, expected } = await feed(t, { memory: 1_600 });
  await pull(ref, 0, 0);
  const rest = await Promise.all([1, 2, 3, 4, 5].map((index) => column(ref, plan.segmentCount, index)));
  t.deepEqual(
    rest[0],
    expected.map((shards) => shards[1] as Buffer),
  );
});

test('two objects with stalled columns share memory for one segment, and both make progress', async (t) => {
  const memory = 1_600;
  const system = stage().system(t);
  const shared = new ByteBudget(memory);
  const setups = await Promise.all(
    [1, 2].map(async (n) => {
      const context = newJob({ payloadSize: 5_000, maxSegmentSize: 1_001 });
      const pieces = await stage().pieces();
      const plan = planPayload(context.object);
      for (let i = 0; i < plan.segmentCount; i += 1) {
        await pieces.put(segmentKey(context.id, i), randomBytes(plan.segment(i).length));
      }
      return {
        plan,
        ref: system.spawn(
          `shared-${n}`,
          encoder({ context, pieces, memory: shared, shardMemory, background }),
        ),
      };
    }),
  );
  for (const { ref } of setups) await pull(ref, 0, 0);
  await Promise.all(setups.map(({ ref, plan }) => column(ref, plan.segmentCount, 1)));
  t.true(shared.used <= memory);
});

test('a missing segment fails only the columns that read it', async (t) => {
  const { ref, expected } = await feed(t, { without: 3 });
  t.deepEqual(Buffer.from(await pull(ref, 0, 5)), expected[0]?.[5]);
  const error = await t.throwsAsync(pull(ref, 3, 0));
  t.is((error as SealionError).code, 'piece-missing');
  t.deepEqual(Buffer.from(await pull(ref, 4, 2)), expected[4]?.[2]);
});

test('a segment of another length than planned is reported as corrupt', async (t) => {
  const { ref, pieces, context } = await feed(t, { without: 1 });
  await pieces.put(segmentKey(context.id, 1), randomBytes(1_000));
  t.is(((await t.throwsAsync(pull(ref, 1, 0))) as SealionError).code, 'piece-corrupt');
});

test('a column that is sent again gets its pieces although it gave them back', async (t) => {
  const { ref, plan, expected } = await feed(t);
  const first = await pull(ref, 0, 4);
  first.fill(0);
  t.deepEqual(
    await column(ref, plan.segmentCount, 4),
    expected.map((shards) => shards[4] as Buffer),
  );
});

test('a stopped encoder releases its memory', async (t) => {
  const { ref, memory, system } = await feed(t);
  await pull(ref, 0, 0);
  t.true(memory.used > 0);
  await system.stop();
  t.is(memory.used, 0);
});
