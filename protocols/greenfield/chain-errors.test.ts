import test from 'ava';
import { ChainError, isChainError } from './chain-errors.ts';

test('a refusal is identified by module and number together', (t) => {
  t.true(isChainError({ codespace: 'sdk', code: 32 }, ChainError.WRONG_SEQUENCE));
  t.false(isChainError({ codespace: 'storage', code: 32 }, ChainError.WRONG_SEQUENCE));
  t.false(isChainError({ codespace: 'sdk', code: 0 }, ChainError.WRONG_SEQUENCE));
});
