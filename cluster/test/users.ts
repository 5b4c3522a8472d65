import test from 'ava';
import { useNetwork } from './network.ts';

/** A devnet that all tests of `users.test.ts` share. It has two accounts for each scenario of the SDK's application. */
export const network = useNetwork(test, { accounts: 40 });
