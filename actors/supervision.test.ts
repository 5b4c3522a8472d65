import test from 'ava';
import { Restarts } from '#runtime/actors/restarts';
import type { Supervision } from '#runtime/actors/types';
import { roleLost } from '#runtime/jobs/roles';
import { SUPERVISION } from './supervision.ts';

for (const kind of ['signer', 'announcer', 'caretaker'] as const) {
  test(`however often a node loses its roles, its ${kind} asks for its own again at once`, (t) => {
    const restarts = new Restarts(SUPERVISION[kind] as Supervision);
    for (let i = 0; i < 50; i += 1)
      t.deepEqual(restarts.judge(roleLost('it'), true, i, 1), { directive: 'restart', delayMs: 0 });
  });
}
