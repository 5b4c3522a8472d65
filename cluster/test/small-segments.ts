import test from 'ava';
import { useNetwork } from './network.ts';

/** Waits for silent clients for so long that a test fails if anything waits for the end of that time. */
export const PATIENT = 1;
/** One SP with each journal, whatever the others have. */
export const BY_JOURNAL = { level: 5, jetstream: 7 } as const;

/** A devnet with small segments: one that all tests of `upload.test.ts` share, another one those of `failures.test.ts`. */
export const network = useNetwork(test, {
  segmentSize: 64 * 1024,
  nodeOf: (spId) => {
    if (spId === PATIENT) return { limits: { diskReserve: '256 MiB', idleTimeoutMs: 600_000 } };
    const [adapter] = Object.entries(BY_JOURNAL).find(([, id]) => id === spId) ?? [];
    return adapter ? { journal: { adapter } } : {};
  },
});
