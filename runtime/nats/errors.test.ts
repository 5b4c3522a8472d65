import { errors } from '@nats-io/nats-core';
import test from 'ava';
import { natsError } from './errors.ts';

test('credentials that arrive too late are tried again, wrong ones are not', (t) => {
  const late = natsError(new errors.AuthorizationError('Authentication Timeout'), 'connecting');
  t.like(late, { kind: 'retryable', code: 'nats-unavailable' });
  const wrong = natsError(new errors.AuthorizationError('Authorization Violation'), 'connecting');
  t.is(wrong.kind, 'terminal');
});
