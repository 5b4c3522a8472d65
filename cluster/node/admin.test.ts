import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { spaceReport } from '#actors/caretaker/space/report';
import { exchange, readAnswers } from '#gateway/testing/wire';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { Background } from '#runtime/load/background';
import { sqliteRecords } from '#runtime/records/sqlite';
import { silentLogger } from '#runtime/telemetry/logger';
import { anyRawRequest } from '../test/raw-requests.ts';
import { type AdminServer, type Readiness, serveAdmin } from './admin.ts';

const JOB = { objectId: '4711', version: 0 };
const CREATED = {
  type: 'JobCreated',
  at: 1_000,
  id: JOB,
  deadlineAt: 2_000,
  object: {
    bucketName: 'photos',
    objectName: 'a.jpg',
    owner: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
    contentType: 'image/jpeg',
    payloadSize: 10,
    redundancy: 'EC',
    checksums: [],
    maxSegmentSize: 16,
    dataChunks: 4,
    parityChunks: 2,
    familyId: 1,
    primarySpId: 1,
    createdAt: 1,
    isUpdate: false,
  },
} as const;

async function serve(
  t: ExecutionContext,
  hosts: readonly string[] = [],
  readiness: () => Readiness = () => 'ready',
): Promise<AdminServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-admin-'));
  const journal = await openLevelJournal({ directory: join(folder, 'journal') });
  const records = sqliteRecords(join(folder, 'records.sqlite'));
  const background = new Background(8);
  t.teardown(() => background.close());
  background.jobStarted();
  const admin = await serveAdmin(
    {
      node: 'sp-1@a',
      spId: 1,
      durability: 'crash-safe',
      journal,
      records,
      space: () => spaceReport(journal.ledger, 0),
      load: () => background.report,
      readiness,
      tree: () => ({
        name: 'sp-1@a',
        path: 'sp-1@a',
        kind: 'system\u001b[2J\u009b2J',
        status: 'running',
        restarts: 0,
        mailbox: 0,
        children: [],
      }),
      log: silentLogger,
    },
    { host: '127.0.0.1', port: 0, hosts },
  );
  t.teardown(async () => {
    await admin.close();
    await records.close();
    await journal.close();
    await rm(folder, { recursive: true });
  });
  await journal.append(JOB, 1, CREATED);
  return admin;
}

/** The answer to one request, written out as a client would send it. */
async function statusOf({ port }: AdminServer, target: string, ...headers: string[]): Promise<number> {
  const lines = [`GET ${target} HTTP/1.1`, ...headers, 'Connection: close', '', ''];
  const bytes = await exchange(port, { method: 'GET', pieces: [lines.join('\r\n')], manner: 'wait' });
  return readAnswers(bytes, 'GET')[0]?.status ?? 0;
}

test('operators can read health, tree, jobs and the history of one job', async (t) => {
  const admin = await serve(t);
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${admin.port}${path}`, { method });
    return { status: response.status, body: await response.json() };
  };
  t.like(await ask('/health'), {
    status: 200,
    body: { status: 'serving', node: 'sp-1@a', durability: 'crash-safe' },
  });
  t.like(await ask('/tree'), { status: 200, body: { status: 'running' } });
  const { body: load } = await ask('/load');
  t.like(load, { requests: 0, jobs: { inWork: 1 } });
  t.deepEqual(await ask('/space'), { status: 200, body: { unneeded: [], incomplete: [] } });
  t.deepEqual(await ask('/jobs'), { status: 200, body: [] });
  t.like(await ask('/jobs/4711.0'), {
    status: 200,
    body: { context: { id: JOB, state: 'INIT_UNSPECIFIED' }, events: [CREATED] },
  });
  t.like(await ask('/jobs/4712.0'), { status: 404, body: { code: 'not-found' } });
  t.like(await ask('/jobs/4711'), { status: 400, body: { code: 'bad-job-id' } });
  t.like(await ask('/nowhere'), { status: 404 });
  t.like(await ask('/health', 'POST'), { status: 405 });
  await t.throwsAsync(
    serveAdmin({} as Parameters<typeof serveAdmin>[0], {
      host: '127.0.0.1',
      port: admin.port,
      hosts: [],
    }),
    { code: 'cannot-listen' },
  );
});

test('a node is ready for clients only while it serves', async (t) => {
  let readiness: Readiness = 'starting';
  const admin = await serve(t, [], () => readiness);
  const ask = (path: string) => statusOf(admin, path, 'Host: 127.0.0.1');
  t.is(await ask('/ready'), 503);
  readiness = 'ready';
  t.is(await ask('/ready'), 200);
  readiness = 'draining';
  t.is(await ask('/ready'), 503);
  t.is(await ask('/health'), 200);
});

test('no request stops the process, and each gets an answer', async (t) => {
  const admin = await serve(t);
  t.is(await statusOf(admin, '//', 'Host: 127.0.0.1'), 404);
  t.is(await statusOf(admin, 'http://[', 'Host: 127.0.0.1'), 404);
  await fc.assert(
    fc.asyncProperty(fc.array(anyRawRequest, { minLength: 1, maxLength: 5 }), async (requests) => {
      await Promise.all(
        requests.map(async (request) => readAnswers(await exchange(admin.port, request), request.method)),
      );
    }),
    { numRuns: 200 },
  );
  t.is(await statusOf(admin, '/health', 'Host: 127.0.0.1'), 200);
});

test('requests for other host names are refused, so that DNS rebinding fails', async (t) => {
  const admin = await serve(t, ['sp1.internal']);
  for (const host of [
    '127.0.0.1',
    `127.0.0.1:${admin.port}`,
    'localhost',
    'LOCALHOST:1',
    '[::1]',
    'sp1.internal:9133',
  ]) {
    t.is(await statusOf(admin, '/tree', `Host: ${host}`), 200, host);
  }
  for (const host of [
    'evil.example.com',
    `evil.example.com:${admin.port}`,
    'a.localhost',
    '127.0.0.1.evil.com',
    '',
  ]) {
    t.is(await statusOf(admin, '/jobs', `Host: ${host}`), 421, host);
  }
  for (const host of ['sp1.internal@evil', 'x.sp1.internal', '10.0.0.1', '[::ffff:10.0.0.1]']) {
    t.is(await statusOf(admin, '/tree', `Host: ${host}`), 421, host);
  }
});

test('requests from pages of other sites are refused', async (t) => {
  const admin = await serve(t);
  const host = `Host: 127.0.0.1:${admin.port}`;
  const own = `Origin: http://127.0.0.1:${admin.port}`;
  t.is(await statusOf(admin, '/tree', host, own, 'Sec-Fetch-Site: same-origin'), 200);
  t.is(await statusOf(admin, '/tree', host, 'Sec-Fetch-Site: none'), 200);
  for (const header of ['Origin: https://evil.example.com', 'Origin: null', 'Origin: http://127.0.0.1']) {
    t.is(await statusOf(admin, '/tree', host, header), 403, header);
  }
  for (const site of ['cross-site', 'same-site']) {
    t.is(await statusOf(admin, '/tree', host, `Sec-Fetch-Site: ${site}`), 403, site);
  }
});

test('answers are safe to show in a terminal', async (t) => {
  const admin = await serve(t);
  const text = await (await fetch(`http://127.0.0.1:${admin.port}/tree`)).text();
  t.notRegex(text.slice(0, -1), /\p{Cc}/u);
  t.is((JSON.parse(text) as { kind: string }).kind, 'system\u001b[2J\u009b2J');
});
