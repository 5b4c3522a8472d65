import test from 'ava';
import { useNetwork } from './network.ts';

/**
 * A devnet that all tests of `eight-providers.test.ts` share. With eight SPs, a family has three groups, each without
 * another one of its seven possible members.
 */
export const network = useNetwork(test, { segmentSize: 64 * 1024, sps: 8 });
