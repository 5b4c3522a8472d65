import test from 'ava';
import { Terminal } from '#protocols/errors';
import { gate } from '#runtime/actors/testing';
import type { AuditEntry } from '#runtime/records/audit';
import { noActions } from '../testing/view.ts';
import type { ActionRequest } from './action.ts';
import { FollowedActions } from './followed-actions.ts';

const BY = { role: 'act' } as const;
const REPAIR: ActionRequest = { action: 'repair', target: '4711.0' };

/** Actions that report once, and end when they may. */
function slow(outcome: () => string) {
  const end = gate();
  const performed: ActionRequest[] = [];
  const actions = noActions({
    perform: async (request, _, { onProgress, signal } = {}) => {
      performed.push(request);
      onProgress?.('1 of 3 segments');
      signal?.addEventListener('abort', () => end.open(), { once: true });
      await end.opened;
      signal?.throwIfAborted();
      return outcome();
    },
  });
  return { followed: new FollowedActions(actions, 1), end, performed };
}

test('an action that ends soon is answered with its outcome, or its error', async (t) => {
  const followed = new FollowedActions(noActions());
  t.like(await followed.begin(REPAIR, BY), { isEnded: true, outcome: 'done' });
  const perform = () => Promise.reject(new Terminal({ code: 'bad-action', message: 'no' }));
  await t.throwsAsync(new FollowedActions(noActions({ perform })).begin(REPAIR, BY), { code: 'bad-action' });
});

test('a long one is followed until its end, and asking for the same joins it', async (t) => {
  const { followed, end, performed } = slow(() => '3 good');
  const begun = await followed.begin(REPAIR, BY);
  t.like(begun, { isEnded: false, outcome: '1 of 3 segments' });
  t.is((await followed.begin(REPAIR, BY)).id, begun.id);
  t.is(performed.length, 1);
  end.open();
  while (!(await followed.state(begun.id)).isEnded) await new Promise(setImmediate);
  t.like(await followed.state(begun.id), { outcome: '3 good', target: '4711.0' });
  t.not((await followed.begin(REPAIR, BY)).id, begun.id);
});

test('one that fails later says why to those who follow it', async (t) => {
  const { followed, end } = slow(() => {
    throw new Terminal({ code: 'object-damaged', message: 'lost' });
  });
  const { id } = await followed.begin(REPAIR, BY);
  end.open();
  const asked = async () => {
    for (;;) {
      await followed.state(id);
      await new Promise(setImmediate);
    }
  };
  await t.throwsAsync(asked(), { code: 'object-damaged' });
});

test('the end of the node ends what is in progress', async (t) => {
  const { followed } = slow(() => 'never');
  const { id } = await followed.begin(REPAIR, BY);
  await followed.close();
  await t.throwsAsync(followed.state(id), { code: 'aborted' });
});

test('of an action of another node the record is read', async (t) => {
  const entry = { at: 1, who: 'ann', action: 'repair', target: '4711.0' };
  const entries: AuditEntry[] = [
    { ...entry, id: 'running', outcome: '', isDone: false },
    { ...entry, id: 'done', outcome: '3 good', isDone: true },
    { ...entry, id: 'failed', outcome: 'object-unknown: It is gone.', isDone: false },
  ];
  const followed = new FollowedActions(noActions({ audit: async () => entries }));
  t.like(await followed.state('running'), { isEnded: false });
  t.like(await followed.state('done'), { isEnded: true, outcome: '3 good' });
  await t.throwsAsync(followed.state('failed'), { code: 'object-unknown', message: 'It is gone.' });
  await t.throwsAsync(followed.state('other'), { code: 'not-found' });
});

test('no more than a number of actions are in progress', async (t) => {
  const { followed, end } = slow(() => 'done');
  const begin = (i: number) => followed.begin({ action: 'repair', target: `${i + 1}.0` }, BY);
  await Promise.all(Array.from({ length: 20 }, (_, i) => begin(i)));
  await t.throwsAsync(begin(20), { code: 'too-many-actions' });
  end.open();
  await followed.close();
});
