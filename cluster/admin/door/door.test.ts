import test from 'ava';
import { Hono } from 'hono';
import { metricsPage } from '../metrics.ts';
import { answerOf, serve, statusOf, TOKENS } from '../testing/server.ts';
import { requireRole } from './door.ts';
import type { AdminEnv } from './env.ts';
import { COOKIE } from './session.ts';

const LOCAL = 'Host: 127.0.0.1';
const VIEW = `Authorization: Bearer ${TOKENS.view}`;
const ACT = `Authorization: Bearer ${TOKENS.act}`;

/** Something that only those may do who may act. */
function acting(): Hono<AdminEnv> {
  const app = new Hono<AdminEnv>();
  app.post('/act', requireRole('act'), (c) => c.json(c.get('identity') ?? null));
  return app;
}

test('nobody gets in without a token, and each token allows what it is for', async (t) => {
  const admin = await serve(t, { parts: [acting()] });
  t.is(await statusOf(admin, 'GET /api/jobs', LOCAL), 401);
  t.is(await statusOf(admin, 'GET /api/jobs', LOCAL, 'Authorization: Bearer wrong'), 401);
  t.is(await statusOf(admin, 'GET /api/jobs', LOCAL, VIEW), 200);
  t.is(await statusOf(admin, 'GET /api/jobs', LOCAL, ACT), 200);
  t.is(await statusOf(admin, 'POST /act', LOCAL, VIEW), 403);
  const { status, body } = await answerOf(admin, 'POST /act', LOCAL, ACT, 'X-Sealion-Operator: mia');
  t.is(status, 200);
  t.deepEqual(JSON.parse(body), { role: 'act', name: 'mia' });
});

test('health is answered without a token, to the machines that may ask', async (t) => {
  t.is(await statusOf(await serve(t), 'GET /health', LOCAL), 200);
  const elsewhere = await serve(t, { door: { probes: ['10.0.0.0/8'] } });
  t.is(await statusOf(elsewhere, 'GET /health', LOCAL), 401);
  t.is(await statusOf(elsewhere, 'GET /health', LOCAL, VIEW), 200);
});

test('metrics need no token for the machines that may ask, and one through a proxy', async (t) => {
  const parts = [metricsPage({ text: async () => ({ body: 'up 1\n', contentType: 'text/plain' }) })];
  const admin = await serve(t, { parts });
  const { status, headers, body } = await answerOf(admin, 'GET /metrics', LOCAL);
  t.is(status, 200);
  t.is(headers?.get('content-type'), 'text/plain');
  t.is(headers?.get('cache-control'), 'no-store');
  t.is(body, 'up 1\n');
  const proxied = 'X-Forwarded-For: 10.0.0.1';
  t.is(await statusOf(admin, 'GET /metrics', LOCAL, proxied), 401);
  t.is(await statusOf(admin, 'GET /metrics', LOCAL, proxied, VIEW), 200);
  t.is(await statusOf(admin, 'GET /metrics', 'Host: sealion.example.com'), 421);
  t.is(await statusOf(admin, 'POST /metrics', LOCAL), 404);
});

test('callers of this machine need no token only if told so, and none that a proxy passes on', async (t) => {
  const admin = await serve(t, { door: { openLoopback: true }, parts: [acting()] });
  t.is(await statusOf(admin, 'GET /api/jobs', LOCAL), 200);
  t.is(await statusOf(admin, 'POST /act', LOCAL), 200);
  for (const header of ['X-Forwarded-For: 10.0.0.1', 'Forwarded: for=10.0.0.1', 'Via: 1.1 proxy']) {
    t.is(await statusOf(admin, 'GET /api/jobs', LOCAL, header), 401, header);
  }
});

test('without any token in the configuration the door stays shut', async (t) => {
  const admin = await serve(t, { door: { tokens: {} } });
  for (const token of ['', 'undefined', TOKENS.act]) {
    t.is(await statusOf(admin, 'GET /api/jobs', LOCAL, `Authorization: Bearer ${token}`), 401, token);
  }
});

test('an address that guesses is refused for a while', async (t) => {
  const admin = await serve(t);
  const statuses: number[] = [];
  for (let i = 0; i < 14; i += 1) {
    statuses.push(await statusOf(admin, 'GET /api/jobs', LOCAL, `Authorization: Bearer guess-${i}`));
  }
  t.is(statuses[0], 401);
  t.is(statuses.at(-1), 429);
  t.is(await statusOf(admin, 'GET /api/jobs', LOCAL, VIEW), 429);
  t.is(await statusOf(admin, 'GET /health', LOCAL), 200);
});

test('requests for other host names are refused, so that DNS rebinding fails', async (t) => {
  const admin = await serve(t, { door: { hosts: ['sp1.internal'] } });
  for (const host of [
    '127.0.0.1',
    `127.0.0.1:${admin.port}`,
    'localhost',
    'LOCALHOST:1',
    '[::1]',
    'sp1.internal:9133',
  ]) {
    t.is(await statusOf(admin, 'GET /api/jobs', `Host: ${host}`, VIEW), 200, host);
  }
  for (const host of [
    'evil.example.com',
    `evil.example.com:${admin.port}`,
    'a.localhost',
    '127.0.0.1.evil.com',
    'x.sp1.internal',
    '10.0.0.1',
  ]) {
    t.is(await statusOf(admin, 'GET /api/jobs', `Host: ${host}`, VIEW), 421, host);
  }
  for (const host of ['sp1.internal@evil', '[::ffff:10.0.0.1]']) {
    t.true([400, 421].includes(await statusOf(admin, 'GET /api/jobs', `Host: ${host}`, VIEW)), host);
  }
});

test('requests from pages of other sites are refused', async (t) => {
  const admin = await serve(t, { door: { openLoopback: true } });
  const host = `Host: 127.0.0.1:${admin.port}`;
  const own = `Origin: http://127.0.0.1:${admin.port}`;
  t.is(await statusOf(admin, 'GET /api/trees', host, own, 'Sec-Fetch-Site: same-origin'), 200);
  t.is(await statusOf(admin, 'GET /api/trees', host, 'Sec-Fetch-Site: none'), 200);
  for (const header of ['Origin: https://evil.example.com', 'Origin: null', 'Origin: http://127.0.0.1']) {
    t.is(await statusOf(admin, 'GET /api/trees', host, header), 403, header);
  }
  for (const site of ['cross-site', 'same-site']) {
    t.is(await statusOf(admin, 'GET /api/trees', host, `Sec-Fetch-Site: ${site}`), 403, site);
  }
});

test('a login gives a session, which acts only from pages of this server and ends with the logout', async (t) => {
  const admin = await serve(t, { parts: [acting()] });
  const url = `http://127.0.0.1:${admin.port}`;
  const post = (path: string, headers: Record<string, string>, body?: URLSearchParams) =>
    fetch(`${url}${path}`, { method: 'POST', headers, redirect: 'manual', ...(body && { body }) });
  const form = (token: string, next = '/peers') => new URLSearchParams({ token, next, name: 'mia' });
  t.is((await post('/login', {}, form(TOKENS.act))).status, 403);
  t.is((await post('/login', { Origin: url }, form('wrong'))).status, 401);
  const response = await post('/login', { Origin: url }, form(TOKENS.act));
  t.is(response.status, 303);
  t.is(response.headers.get('location'), '/peers');
  const set = response.headers.get('set-cookie') ?? '';
  t.regex(set, /HttpOnly/i);
  t.regex(set, /SameSite=Strict/i);
  t.false(set.includes(TOKENS.act));
  const [cookie = ''] = set.split(';');
  t.is((await fetch(`${url}/api/jobs`, { headers: { Cookie: cookie } })).status, 200);
  t.is((await post('/act', { Cookie: cookie })).status, 403);
  const acted = await post('/act', { Cookie: cookie, Origin: url });
  t.deepEqual(await acted.json(), { role: 'act', name: 'mia' });
  for (const forged of [cookie.replace('=act.', '=view.'), `${cookie}x`, `${COOKIE}=act.9999999999999..`]) {
    t.is((await fetch(`${url}/api/jobs`, { headers: { Cookie: forged } })).status, 401, forged);
  }
  const left = await post('/logout', { Cookie: cookie, Origin: url });
  t.regex(left.headers.get('set-cookie') ?? '', /Max-Age=0/);
  const elsewhere = await post('/login', { Origin: url }, form(TOKENS.view, '//evil.example.com'));
  t.is(elsewhere.headers.get('location'), '/');
});

test('a browser without a session is shown the login', async (t) => {
  const admin = await serve(t);
  const page = await answerOf(admin, 'GET /peers?a=1', LOCAL, 'Accept: text/html');
  t.is(page.status, 303);
  t.is(await statusOf(admin, 'GET /api/jobs', LOCAL, 'Accept: text/html'), 401);
});

test('every answer has the headers that shut other sites out', async (t) => {
  const admin = await serve(t);
  for (const path of ['/health', '/api/jobs', '/nowhere']) {
    const { headers } = await fetch(`http://127.0.0.1:${admin.port}${path}`);
    t.regex(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/, path);
    t.is(headers.get('x-content-type-options'), 'nosniff', path);
    t.is(headers.get('referrer-policy'), 'same-origin', path);
    t.is(headers.get('cache-control'), 'no-store', path);
  }
});
