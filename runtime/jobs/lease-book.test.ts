import { fork } from 'node:child_process';
import { on } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { connectNats } from '../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger as log } from '../telemetry/logger.ts';
import { LeaseBook } from './lease-book.ts';
import { openJobQueue } from './nats-job-queue.ts';

/** Long enough that a test would hang if it were waited for. */
const FOREVER_MS = 600_000;
const job = { objectId: '1', version: 0 };
let server: NatsServer;

test.before(async () => {
  server = await startNatsServer();
});
test.after.always(() => server?.stop());

async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-leases-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A process of a node, which takes a job, or a role. */
function start(
  t: ExecutionContext,
  url: string,
  about: { folder: string; ackWaitMs: number; role?: string },
) {
  const script = new URL('./nats-jobs.child.js', import.meta.url);
  const { folder, ackWaitMs, role = '' } = about;
  const child = fork(script, [url, String(ackWaitMs), role, folder]);
  t.teardown(() => child.kill('SIGKILL'));
  const told = on(child, 'message');
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    says: async (): Promise<unknown> => (await told.next()).value[0],
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function queueOf(t: ExecutionContext, url: string, ackWaitMs: number) {
  const connection = await connectNats({ url, name: 'test', log });
  t.teardown(() => connection.close());
  return await openJobQueue({ connection, ackWaitMs, log });
}

test('a node that was killed has its job back at once when it starts again', async (t) => {
  const about = { folder: await temporaryFolder(t), ackWaitMs: FOREVER_MS };
  await (await queueOf(t, server.url, FOREVER_MS)).enqueue(job);
  const before = start(t, server.url, about);
  t.is(await before.says(), '1.0');
  await before.kill();
  t.is(await start(t, server.url, about).says(), '1.0');
});

test('the roles of a node are noted as well', async (t) => {
  const folder = await temporaryFolder(t);
  const before = start(t, server.url, { folder, ackWaitMs: FOREVER_MS, role: 'mine' });
  t.is(await before.says(), 'mine');
  await before.kill();
  const book = await LeaseBook.open({ directory: folder, log });
  t.teardown(() => book.close());
  const given: string[] = [];
  await book.takeBack(async (ackSubject) => void given.push(ackSubject));
  t.is(given.length, 1);
  t.regex(given[0] ?? '', /\.ROLES\.mine\./);
});

test('what has passed to another node in the meantime is left to it', async (t) => {
  const own = await startNatsServer();
  t.teardown(() => own.stop());
  const about = { folder: await temporaryFolder(t), ackWaitMs: 1_000 };
  const queue = await queueOf(t, own.url, 1_000);
  await queue.enqueue(job);
  const before = start(t, own.url, about);
  t.is(await before.says(), '1.0');
  await before.kill();
  const { signal } = new AbortController();
  for await (const lease of queue.leases({ limit: 1, signal })) {
    const again = start(t, own.url, about).says();
    t.is(await Promise.race([again, sleep(3_000, 'nothing')]), 'nothing');
    t.false(lease.signal.aborted);
    await lease.done();
    break;
  }
});

test('one process at a time has the book of a node', async (t) => {
  const directory = await temporaryFolder(t);
  const book = await LeaseBook.open({ directory, log });
  await t.throwsAsync(LeaseBook.open({ directory, log }), { code: 'data-folder-in-use' });
  await book.close();
  await (await LeaseBook.open({ directory, log })).close();
});

test('a lease is given back only before both clocks say that it has ended, and once', async (t) => {
  const [steady, wall] = [50_000, 1_000_000];
  const givenBack = async (later: { readonly steady: number; readonly wall: number }) => {
    const directory = await temporaryFolder(t);
    const clocks = { steady: () => steady, wall: () => wall };
    const book = await LeaseBook.open({ directory, log, clocks });
    await Promise.all([book.note('held', 10_000), book.note('ended', 10_000)]);
    await book.drop('ended');
    await book.close();
    const after = { steady: () => steady + later.steady, wall: () => wall + later.wall };
    const given: string[] = [];
    for (let start = 0; start < 2; start += 1) {
      const next = await LeaseBook.open({ directory, log, clocks: after });
      await next.takeBack(async (ackSubject) => void given.push(ackSubject));
      await next.close();
    }
    return given;
  };
  t.deepEqual(await givenBack({ steady: 5_000, wall: 5_000 }), ['held']);
  t.deepEqual(await givenBack({ steady: 9_900, wall: 9_900 }), [], 'it is about to end');
  t.deepEqual(await givenBack({ steady: 5_000, wall: 30_000 }), [], 'the machine slept');
  t.deepEqual(await givenBack({ steady: -40_000, wall: 5_000 }), [], 'the machine started again');
  t.deepEqual(await givenBack({ steady: 5_000, wall: -5_000 }), [], 'the clock was set back');
});

test('leases that cannot be given back may be given back later', async (t) => {
  const directory = await temporaryFolder(t);
  const before = await LeaseBook.open({ directory, log });
  await before.note('held', 60_000);
  await before.close();
  const book = await LeaseBook.open({ directory, log });
  t.teardown(() => book.close());
  const down = () => Promise.reject(new Error('down'));
  await t.throwsAsync(book.takeBack(down));
  t.is(await book.takeBack(async () => undefined), 1);
  t.is(await book.takeBack(down), 0);
});
