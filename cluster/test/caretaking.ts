import test from 'ava';
import { useNetwork } from './network.ts';

/** At these SPs a pass over everything stored begins every few seconds. */
export const SCRUBBING = { primary: 1, secondary: 4 } as const;

const scrubbing: readonly number[] = Object.values(SCRUBBING);
const timing = {
  ackWaitMs: 2_000,
  offerTimeoutMs: 30_000,
  stallTimeoutMs: 30_000,
  spaceHours: 0.001,
  replacedMinutes: 0.25,
};

/** A devnet that all tests of `caretaking.test.ts` share: it looks every few seconds for what it need not store. */
export const network = useNetwork(test, {
  segmentSize: 64 * 1024,
  node: { timing, limits: { diskReserve: '256 MiB' } },
  nodeOf: (spId) => (scrubbing.includes(spId) ? { timing: { ...timing, scrubDays: 0.0001 } } : {}),
});
