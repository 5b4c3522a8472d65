import test from 'ava';
import type { BenchNetwork } from '../network.ts';
import { memory } from './memory.ts';

test('a network whose processes are elsewhere is refused with a reason', async (t) => {
  const run = memory.run({
    network: { processes: [] as BenchNetwork['processes'] } as BenchNetwork,
    sizes: { bytes: 1, less: 1 },
    start: () => Promise.reject(new Error('not needed')),
    figures: [],
    say: () => undefined,
    signal: new AbortController().signal,
  });
  await t.throwsAsync(run, { code: 'processes-unknown', message: /not processes of a devnet/ });
});
