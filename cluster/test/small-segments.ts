import test from 'ava';
import { useNetwork } from './network.ts';

/** A devnet with small segments, which all tests of `upload.test.ts` share. */
export const network = useNetwork(test, { segmentSize: 64 * 1024 });
