import test from 'ava';
import { Terminal } from '#protocols/errors';
import { gate } from '#runtime/actors/testing';
import { FollowedActions } from '../admin/actions/followed-actions.ts';
import { serve } from '../admin/testing/server.ts';
import { noActions } from '../admin/testing/view.ts';
import { AdminApi } from './admin-api.ts';

const REPAIR = { action: 'repair', target: '4711.0' };

test('an action that takes longer than an answer is followed until its end', async (t) => {
  const end = gate();
  const perform = async (request: { readonly target: string }) => {
    await end.opened;
    if (request.target === '1.0') throw new Terminal({ code: 'bad-action', message: 'no' });
    return '3 good';
  };
  const actions = new FollowedActions(noActions({ perform }), 1);
  const { port } = await serve(t, { actions, door: { openLoopback: true } });
  const api = new AdminApi(`http://127.0.0.1:${port}`);
  const begin = (target: string, limitMs: number) =>
    api.post('/api/actions', { ...REPAIR, target }, undefined, limitMs);
  await t.throwsAsync(begin('4711.0', 1), { code: 'action-in-progress' });
  const [outcome, failed] = [begin('4711.0', 60_000), begin('1.0', 60_000)];
  end.open();
  t.like(await outcome, { outcome: '3 good', isEnded: true });
  await t.throwsAsync(failed, { code: 'bad-action' });
});
