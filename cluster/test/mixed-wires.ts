import test from 'ava';
import { useNetwork } from './network.ts';

/** Secondaries of SP 1 that other SPs reach over HTTP alone; the other three over NATS alone. */
export const OVER_HTTP: readonly number[] = [2, 4, 6];

/**
 * A devnet that all tests of `mixed-wires.test.ts` share. SP 1 uses both wires, and does not know which the others use.
 */
export const network = useNetwork(test, {
  segmentSize: 64 * 1024,
  nodeOf: (spId) => {
    if (spId === 1) return {};
    return { peers: { wires: [OVER_HTTP.includes(spId) ? 'http' : 'nats'] } };
  },
});
