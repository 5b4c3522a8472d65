import test from 'ava';
import { readSession, SESSION_MS, sessionCookie } from './session.ts';
import { readTokens, roleOf } from './tokens.ts';

const [VIEW, ACT] = ['view-token-of-the-tests-1', 'act-token-of-the-tests-22'];

test.serial('tokens come from the environment, and are long and different', async (t) => {
  const read = (view: string, act: string) => {
    Object.assign(process.env, { SEALION_TEST_VIEW: view, SEALION_TEST_ACT: act });
    return readTokens({ view: { env: 'SEALION_TEST_VIEW' }, act: { env: 'SEALION_TEST_ACT' } });
  };
  t.deepEqual(await read(VIEW, ACT), { view: VIEW, act: ACT });
  await t.throwsAsync(read(VIEW, VIEW), { code: 'bad-token' });
  await t.throwsAsync(read('short', ACT), { code: 'bad-token', message: /for view/ });
  t.deepEqual(await readTokens({}), {});
});

test('a token that is not configured allows nothing', (t) => {
  t.is(roleOf(ACT, { view: VIEW, act: ACT }), 'act');
  t.is(roleOf(VIEW, { view: VIEW }), 'view');
  t.is(roleOf('', {}), undefined);
  t.is(roleOf(ACT, { view: VIEW }), undefined);
});

test('a session ends with its time, and when the token is changed', (t) => {
  const cookie = sessionCookie({ role: 'act', name: 'mia' }, { act: ACT }, 1_000);
  const read = (tokens: object, now: number) => readSession(cookie, tokens, now);
  t.deepEqual(read({ act: ACT }, 2_000), { role: 'act', name: 'mia' });
  t.is(read({ act: ACT }, 1_000 + SESSION_MS), undefined);
  t.is(read({ act: `${ACT}x` }, 2_000), undefined);
  t.is(read({ view: ACT }, 2_000), undefined);
});
