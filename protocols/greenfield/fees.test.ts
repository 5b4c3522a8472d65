import test from 'ava';
import { Retryable } from '../errors.ts';
import { FEE_POLICY, feePolicy, quoteFee } from './fees.ts';

const GWEI = 1_000_000_000n;

test('a fee leaves headroom above the gas used, at the price of the policy', (t) => {
  t.deepEqual(quoteFee(120, undefined, FEE_POLICY), {
    amount: [{ denom: 'BNB', amount: 240n * 5n * GWEI }],
    gasLimit: 240,
    payer: '',
    granter: '',
  });
  t.is(quoteFee(121, undefined, { ...FEE_POLICY, gasHeadroom: 1.5 }).gasLimit, 182);
});

test('a higher price of the node is paid, a lower one changes nothing', (t) => {
  const price = (min: bigint) => quoteFee(100, min, { ...FEE_POLICY, gasHeadroom: 1 }).amount[0]?.amount;
  t.is(price(7n * GWEI), 700n * GWEI);
  t.is(price(1n * GWEI), 500n * GWEI);
});

test('a fee never exceeds the limit: headroom is reduced first, then signing is refused', (t) => {
  const policy = { gasPrice: 5n * GWEI, gasHeadroom: 10, maxFee: 1_000n * GWEI };
  t.is(quoteFee(120, undefined, policy).gasLimit, 200);
  t.is(quoteFee(200, undefined, policy).gasLimit, 200);
  const error = t.throws(() => quoteFee(201, undefined, policy), { instanceOf: Retryable });
  t.is(error.code, 'fee-too-high');
  t.is(error.message, 'A transaction would cost 0.000001005 BNB, more than the limit of 0.000001 BNB.');
  t.throws(() => quoteFee(120, 10n ** 30n, policy), { code: 'fee-too-high' });
});

test('the default policy in operator units equals the default', (t) => {
  t.deepEqual(feePolicy({ gasPriceGwei: 5, gasHeadroom: 2, maxFeeBnb: 0.005 }), FEE_POLICY);
});
