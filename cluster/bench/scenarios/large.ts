import { setTimeout as sleep } from 'node:timers/promises';
import { patiently, timed } from '../load.ts';
import { delaysDuring, type LoopDelay } from '../loop-delays.ts';
import type { BenchNetwork } from '../network.ts';
import { announce, type BenchObject, put } from '../objects.ts';
import type { Measurements, Scenario } from '../scenario.ts';
import { untilSealed } from '../sealing.ts';
import { quantile } from '../statistics.ts';

/** One large object: the cost per byte. */
export const large: Scenario<'bytes'> = {
  name: 'large',
  title: 'one large object',
  figures: [
    {
      name: 'acked',
      title: 'to the acknowledgement',
      unit: 'MB/s',
      better: 'more',
      floor: 'raw put',
      wanted: { ratio: { atLeast: 0.95 } },
    },
    {
      name: 'receipts',
      title: 'to six receipts',
      unit: 'MB/s',
      better: 'more',
      floor: 'put, get, 1.5 × over NATS, 1.5 × put',
      wanted: { ratio: { atLeast: 0.7 } },
    },
    { name: 'sealed', title: 'to the seal', unit: 'MB/s', better: 'more' },
    {
      name: 'loop',
      title: 'event-loop delay of the gateway, in 99 of 100 spans of 100 ms',
      unit: 'ms',
      better: 'less',
      floor: 'idle',
      wanted: { value: { atMost: 50 } },
    },
    {
      name: 'loop-uploading',
      title: '– of these, in those until the acknowledgement',
      unit: 'ms',
      better: 'less',
      floor: 'idle',
      wanted: { value: { atMost: 50 } },
    },
    {
      name: 'loop-own',
      title: '– in all, without the time in which other processes had the processors',
      unit: 'ms',
      better: 'less',
      floor: 'idle',
    },
    { name: 'loop-worst', title: 'longest event-loop delay', unit: 'ms', better: 'less', floor: 'idle' },
  ],
  sizes: { bytes: { full: 2 ** 30, quick: 2 ** 26 } },
  runs: { full: 3, quick: 1 },
  on: 'network',
  async run({ network, sizes, signal }) {
    const [object] = await announce(network, { count: 1, size: sizes.bytes }, signal);
    if (!object) return {};
    const bare = await bareParts(network, object);
    const idle = await delaysDuring(network.admin, () => sleep(IDLE_MS, undefined, { signal }));
    let [acked, receipts, sealed] = [Number.NaN, Number.NaN, Number.NaN];
    let uploading: readonly LoopDelay[] = [];
    const busy = await delaysDuring(network.admin, async (delays) => {
      const begin = performance.now();
      const sealedAt = await untilSealed(
        network,
        [object],
        signal,
        async () => {
          await patiently(() => put(network, object, signal), signal);
          acked = performance.now() - begin;
          uploading = [...delays];
        },
        ({ state, secondary }) => {
          if (state === 'REPLICATE_OBJECT_DONE' && !secondary) receipts = performance.now() - begin;
        },
      );
      sealed = sealedAt - begin;
    });
    const rate = (ms: number) => sizes.bytes / 1_000 / ms;
    return {
      acked: { value: rate(acked), floor: rate(bare.put) },
      ...(Number.isFinite(receipts) && { receipts: { value: rate(receipts), floor: rate(bare.all) } }),
      sealed: { value: rate(sealed) },
      ...loopFigures(busy, uploading, idle),
    };
  },
};

function loopFigures(
  busy: readonly LoopDelay[],
  uploading: readonly LoopDelay[],
  idle: readonly LoopDelay[],
): Measurements {
  if (busy.length === 0) return {};
  const late = (delays: readonly LoopDelay[]) =>
    quantile(
      delays.map(({ lateMs }) => lateMs),
      0.99,
    );
  const ownLate = (delays: readonly LoopDelay[]) =>
    quantile(
      delays.flatMap(({ ownLateMs }) => (ownLateMs === undefined ? [] : [ownLateMs])),
      0.99,
    );
  const worst = (delays: readonly LoopDelay[]) => Math.max(...delays.map(({ worstMs }) => worstMs));
  return {
    loop: { value: late(busy), floor: late(idle) },
    ...(uploading.length > 0 && { 'loop-uploading': { value: late(uploading), floor: late(idle) } }),
    ...(busy.some(({ ownLateMs }) => ownLateMs !== undefined) && {
      'loop-own': { value: ownLate(busy), floor: ownLate(idle) },
    }),
    'loop-worst': { value: worst(busy), floor: worst(idle) },
  };
}

/** Times of the steps that no provider can avoid, done one after the other with standard clients; ms. */
async function bareParts(
  { raw }: BenchNetwork,
  { objectName, bytes, size }: BenchObject,
): Promise<{ readonly put: number; readonly all: number }> {
  const put = await timed(() => raw.put(objectName, bytes()));
  const get = await timed(() => raw.read(objectName));
  await raw.delete(objectName);
  const sent = await timed(() => raw.passOn(REDUNDANCY * size));
  return { put, all: put + get + sent + REDUNDANCY * put };
}

/** Size of six pieces relative to their segment. */
const REDUNDANCY = 1.5;
const IDLE_MS = 2_000;
