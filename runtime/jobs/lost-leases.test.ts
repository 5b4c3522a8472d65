import test from 'ava';
import { LostLeases } from './lost-leases.ts';

test('leases that are lost together count as one time', (t) => {
  const lost = new LostLeases();
  t.is(lost.losses, undefined);
  for (const what of ['jobs', 'jobs', 'roles'] as const) lost.count(what);
  t.like(lost.losses, { times: 1, jobs: 2, roles: 1 });
});
