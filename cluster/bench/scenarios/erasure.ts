import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { ReedSolomonErasure } from '@subspace/reed-solomon-erasure.wasm';
import { ReedSolomon } from '#protocols/erasure/reed-solomon';
import { ReusedMemory } from '#runtime/async/reused-memory';
import { nextTurn } from '#runtime/async/turns';
import type { Scenario } from '../scenario.ts';

const [DATA, PARITY] = [4, 2];
const SPAN_MS = 400;

/** The erasure code by itself, on one core, as the encoder uses it: in turns, and with memory that is used again. */
export const erasure: Scenario<'bytes'> = {
  name: 'erasure',
  title: 'the erasure code of 4 + 2 on one core',
  figures: [
    {
      name: 'encode',
      title: 'encode',
      unit: 'MB/s',
      better: 'more',
      floor: 'copy in memory',
      wanted: { ratio: { atLeast: 0.5 } },
    },
    {
      name: 'peer',
      title: 'encode',
      unit: 'MB/s',
      better: 'more',
      floor: '@subspace/reed-solomon-erasure.wasm',
      wanted: { ratio: { atLeast: 8 } },
    },
  ],
  sizes: { bytes: { full: 2 ** 24, quick: 2 ** 24 } },
  runs: { full: 5, quick: 3 },
  on: 'nothing',
  async run({ sizes: { bytes } }) {
    const segment = randomBytes(bytes);
    const code = new ReedSolomon(DATA, PARITY);
    const memory = new ReusedMemory(bytes);
    const data = code.split(segment);
    const encode = await rateOf(bytes, async () => {
      const shards = await code.completeInTurns(data, nextTurn, (length) => memory.take(length));
      memory.giveBack(shards.slice(DATA));
    });
    const target = new Uint8Array(bytes);
    const copy = await rateOf(bytes, () => target.set(segment));
    const wasm = createRequire(import.meta.url).resolve('@subspace/reed-solomon-erasure.wasm');
    const peer = ReedSolomonErasure.fromBytes(
      await readFile(new URL('reed_solomon_erasure_bg.wasm', `file://${wasm}`)),
    );
    const shards = new Uint8Array((bytes / DATA) * (DATA + PARITY));
    shards.set(segment);
    const peerRate = await rateOf(bytes, () => peer.encode(shards, DATA, PARITY));
    return { encode: { value: encode, floor: copy }, peer: { value: encode, floor: peerRate } };
  },
};

/** Rate of a task that is repeated, MB/s. */
async function rateOf(bytes: number, task: () => unknown): Promise<number> {
  await task();
  const begin = performance.now();
  let times = 0;
  while (performance.now() - begin < SPAN_MS) {
    await task();
    times += 1;
  }
  return (times * bytes) / 1_000 / (performance.now() - begin);
}
