import test from 'ava';
import fc from 'fast-check';
import { exchange, readAnswers } from '#gateway/testing/wire';
import { Terminal } from '#protocols/errors';
import { silentLogger } from '#runtime/telemetry/logger';
import { anyRawRequest } from '../test/raw-requests.ts';
import { FollowedActions } from './actions/followed-actions.ts';
import { adminApp } from './app.ts';
import { serveAdmin } from './server.ts';
import { serve, statusOf, TOKENS } from './testing/server.ts';
import { noActions, ownNode, reportOf, treeOf, viewOf } from './testing/view.ts';
import type { Readiness } from './view/node-report.ts';

const LOCAL = 'Host: 127.0.0.1';
const OPEN = { openLoopback: true };

test('a node is ready for clients only while it serves', async (t) => {
  let readiness: Readiness = 'starting';
  const own = ownNode({ report: async () => reportOf('sp-1@a', { readiness }) });
  const admin = await serve(t, { own });
  const ask = (path: string) => statusOf(admin, `GET ${path}`, LOCAL);
  t.is(await ask('/ready'), 503);
  readiness = 'ready';
  t.is(await ask('/ready'), 200);
  readiness = 'draining';
  t.is(await ask('/ready'), 503);
  t.is(await ask('/health'), 200);
});

test('an address in use, and what is not there, are errors with a code', async (t) => {
  const view = viewOf({
    job: async () => {
      throw new Terminal({ code: 'not-found', message: 'no such job' });
    },
  });
  const admin = await serve(t, { view });
  const headers = { Authorization: `Bearer ${TOKENS.view}` };
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${admin.port}${path}`, { method, headers });
    return { status: response.status, body: await response.json() };
  };
  t.like(await ask('/api/jobs/4712.0'), { status: 404, body: { code: 'not-found' } });
  t.like(await ask('/api/jobs/4711'), { status: 400, body: { code: 'bad-job-id' } });
  t.like(await ask('/api/jobs?limit=9999'), { status: 400, body: { code: 'bad-request' } });
  t.like(await ask('/api/jobs?state=NONE'), { status: 400, body: { code: 'bad-request' } });
  t.like(await ask('/nowhere'), { status: 404, body: { code: 'not-found' } });
  t.like(await ask('/health', 'POST'), { status: 404 });
  const app = adminApp({
    view,
    own: ownNode(),
    actions: new FollowedActions(noActions()),
    version: '0',
    door: { tokens: {}, openLoopback: false, hosts: [], probes: [] },
  });
  await t.throwsAsync(serveAdmin(app, { host: '127.0.0.1', port: admin.port }, silentLogger), {
    code: 'cannot-listen',
  });
});

test('no request stops the process, and each gets an answer', async (t) => {
  const admin = await serve(t, { door: OPEN });
  t.is(await statusOf(admin, 'GET //', LOCAL), 404);
  t.true([400, 404].includes(await statusOf(admin, 'GET http://[', LOCAL)));
  await fc.assert(
    fc.asyncProperty(fc.array(anyRawRequest, { minLength: 1, maxLength: 5 }), async (requests) => {
      await Promise.all(
        requests.map(async (request) => readAnswers(await exchange(admin.port, request), request.method)),
      );
    }),
    { numRuns: 200 },
  );
  t.is(await statusOf(admin, 'GET /health', LOCAL), 200);
});

test('answers are safe to show in a terminal', async (t) => {
  const tree = { ...treeOf('sp-1@a'), kind: 'system\u001b[2J\u009b2J' };
  const admin = await serve(t, { own: ownNode({ tree: () => tree }), door: OPEN });
  const text = await (await fetch(`http://127.0.0.1:${admin.port}/api/nodes/self/tree`)).text();
  t.notRegex(text.slice(0, -1), /\p{Cc}/u);
  t.is((JSON.parse(text) as { kind: string }).kind, 'system\u001b[2J\u009b2J');
});
