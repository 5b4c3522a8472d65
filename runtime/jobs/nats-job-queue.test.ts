import { fork } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { connectNats } from '../nats/connect.ts';
import { patient } from '../nats/patient.ts';
import { connectionBack } from '../nats/reconnects.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { type Logger, silentLogger } from '../telemetry/logger.ts';
import { unlessStalled } from '../testing/stalls.ts';
import type { JobQueue, Lease } from './job-queue.ts';
import { openJobQueue } from './nats-job-queue.ts';

/** For tests that wait for the end of a lease; in the others a slow machine must not end one. */
const SHORT_MS = 2_000;
const ACK_WAIT_MS = 10_000;
const log = silentLogger;
const job = (id: number) => ({ objectId: String(id), version: 0 });
const test = anyTest as TestFn<{ server: NatsServer }>;
type Context = ExecutionContext<{ server: NatsServer }>;

test.beforeEach(async (t) => {
  t.context.server = await startNatsServer();
});
test.afterEach.always(async (t) => {
  await t.context.server.stop();
});

async function open(t: Context, ackWaitMs = ACK_WAIT_MS, onLost?: () => void): Promise<JobQueue> {
  const connection = await connectNats({ url: t.context.server.url, name: 'test', log });
  t.teardown(() => connection.close());
  return await openJobQueue({ connection, ackWaitMs, onLost, log });
}

/** One by one, until the test ends. */
function leasesOf(t: ExecutionContext, queue: JobQueue, limit = 10) {
  const owner = new AbortController();
  t.teardown(() => owner.abort());
  const leases = queue.leases({ limit, signal: owner.signal })[Symbol.asyncIterator]();
  const next = async (): Promise<Lease> => {
    const { value, done } = await leases.next();
    if (done) throw new Error('no more leases');
    return value;
  };
  return { next, stop: () => owner.abort() };
}

test('a job has at most one entry, from its enqueue until it is done', async (t) => {
  const queue = await open(t);
  const leases = leasesOf(t, queue);
  t.false(await queue.has(job(1)));
  t.is(await queue.enqueue(job(1)), 'queued');
  t.is(await queue.enqueue(job(1)), 'already-queued');
  const lease = await leases.next();
  t.deepEqual(lease.job, job(1));
  t.is(lease.delivery, 1);
  t.true(await queue.has(job(1)));
  t.is(await queue.enqueue(job(1)), 'already-queued', 'leased');
  await lease.done();
  t.false(await queue.has(job(1)));
  t.is(await queue.enqueue(job(1)), 'queued', 'at once, without a memory of the last one');
});

test('a held lease renews itself and is given to nobody else', async (t) => {
  const [one, other] = [await open(t, SHORT_MS), await open(t, SHORT_MS)];
  let attempts = 0;
  await unlessStalled(t, SHORT_MS / 2, async (attempt) => {
    attempts += 1;
    await one.enqueue(job(attempts));
    const [mine, others] = [leasesOf(t, one), leasesOf(t, other)];
    const lease = await mine.next();
    const taken = others.next();
    taken.catch(() => undefined);
    const who = await Promise.race([taken, sleep(3 * SHORT_MS, 'nobody')]);
    const wasHeld = !lease.signal.aborted;
    mine.stop();
    others.stop();
    await lease.done();
    attempt.is(who, 'nobody');
    attempt.true(wasHeld);
  });
});

test('a postponed job is delivered again after its delay, and stays in the queue meanwhile', async (t) => {
  const queue = await open(t);
  const leases = leasesOf(t, queue);
  await queue.enqueue(job(1));
  const lease = await leases.next();
  const postponedAt = performance.now();
  await lease.postpone(1_500);
  t.is(await queue.enqueue(job(1)), 'already-queued');
  const again = await leases.next();
  t.true(performance.now() - postponedAt >= 1_400);
  t.is(again.delivery, 2);
  t.deepEqual(again.job, job(1));
  await again.postpone(24 * 3_600_000);
  t.true(await queue.has(job(1)));
});

test('a lease is settled once', async (t) => {
  const queue = await open(t);
  const leases = leasesOf(t, queue);
  await queue.enqueue(job(1));
  const lease = await leases.next();
  await lease.postpone(60_000);
  await lease.done();
  await lease.postpone(0);
  t.true(await queue.has(job(1)));
  const next = leases.next();
  next.catch(() => undefined);
  t.is(await Promise.race([next, sleep(500, 'parked')]), 'parked');
});

test('no more than the limit are held at once', async (t) => {
  const queue = await open(t);
  for (const id of [1, 2, 3]) await queue.enqueue(job(id));
  const leases = leasesOf(t, queue, 2);
  const first = await leases.next();
  await leases.next();
  const third = leases.next();
  t.is(await Promise.race([third, sleep(500, 'held back')]), 'held back');
  await first.done();
  t.deepEqual((await third).job, job(3));
});

test('stopping to wait for leases takes no job', async (t) => {
  const [one, other] = [await open(t), await open(t)];
  const leases = leasesOf(t, one);
  const waiting = leases.next();
  leases.stop();
  await t.throwsAsync(waiting, { message: 'no more leases' });
  await one.enqueue(job(1));
  t.deepEqual((await leasesOf(t, other).next()).job, job(1));
});

test('an entry that is not a valid job is removed from the queue', async (t) => {
  const queue = await open(t);
  const connection = await connectNats({ url: t.context.server.url, name: 'operator', log });
  t.teardown(() => connection.close());
  await jetstream(patient(connection)).publish('jobs.replicate.nonsense');
  await queue.enqueue(job(1));
  t.deepEqual((await leasesOf(t, queue, 1).next()).job, job(1));
});

test('bad input is refused', async (t) => {
  const connection = await connectNats({ url: t.context.server.url, name: 'test', log });
  t.teardown(() => connection.close());
  await t.throwsAsync(openJobQueue({ connection, ackWaitMs: 10, log }), { code: 'bad-ack-wait' });
  const queue = await open(t);
  const aborted = queue.enqueue(job(1), { signal: AbortSignal.abort() });
  await t.throwsAsync(aborted, { name: 'Cancelled' });
  t.false(await queue.has(job(1)));
});

/** A node in a process of its own, and what it tells, one by one. */
function node(t: Context) {
  const script = new URL('./nats-jobs.child.js', import.meta.url);
  const child = fork(script, [t.context.server.url, String(SHORT_MS)]);
  t.teardown(() => child.kill('SIGKILL'));
  const told = on(child, 'message');
  const says = async (): Promise<unknown> => (await told.next()).value[0];
  return { kill: (how: NodeJS.Signals) => child.kill(how), says };
}

test('the job of a killed node is given to another', async (t) => {
  const queue = await open(t, SHORT_MS);
  await queue.enqueue(job(1));
  const victim = node(t);
  t.is(await victim.says(), '1.0');
  victim.kill('SIGKILL');
  const lease = await leasesOf(t, queue).next();
  t.deepEqual(lease.job, job(1));
  // One that a slow machine hears of too late is delivered once more.
  t.true(lease.delivery >= 2);
});

test('a suspended node finds its lease lost, and does not disturb the next owner', async (t) => {
  const queue = await open(t, SHORT_MS);
  await queue.enqueue(job(1));
  const sleeper = node(t);
  t.is(await sleeper.says(), '1.0');
  sleeper.kill('SIGSTOP');
  const lease = await leasesOf(t, queue).next();
  t.true(lease.delivery >= 2);
  sleeper.kill('SIGCONT');
  t.is(await sleeper.says(), 'lost: lease-lost');
  t.false(lease.signal.aborted);
  await lease.done();
});

test('a lease is lost when the server no longer answers, and counted once', async (t) => {
  let lost = 0;
  const queue = await open(t, SHORT_MS, () => {
    lost += 1;
  });
  await queue.enqueue(job(1));
  const lease = await leasesOf(t, queue).next();
  await t.context.server.kill();
  if (!lease.signal.aborted) await once(lease.signal, 'abort');
  t.is(lease.signal.reason.code, 'lease-lost');
  t.throws(() => lease.mustHold(), { code: 'lease-lost' });
  t.is(lost, 1);
});

test('a job is not queued while the server is away, and its upload learns so within seconds', async (t) => {
  t.timeout(45_000);
  const queue = await open(t);
  await t.context.server.kill();
  await t.throwsAsync(queue.enqueue(job(1)), { name: 'Retryable', code: 'nats-unavailable' });
});

test('waiting for leases survives a restart of the server', async (t) => {
  const { server } = t.context;
  const connection = await connectNats({ url: server.url, name: 'test', log });
  t.teardown(() => connection.close());
  const queue = await openJobQueue({ connection, ackWaitMs: ACK_WAIT_MS, log });
  const waiting = leasesOf(t, queue).next();
  await server.kill();
  t.context.server = await startNatsServer({ port: server.port });
  const later = await open(t);
  await later.enqueue(job(1));
  t.deepEqual((await waiting).job, job(1));
});

test('after a restart of the server, the next pull is made as soon as the connection is back', async (t) => {
  const storeDir = await mkdtemp(join(tmpdir(), 'sealion-queue-'));
  t.teardown(() => rm(storeDir, { recursive: true, force: true }));
  const before = await startNatsServer({ storeDir });
  const ran: unknown[] = [];
  const keep: Logger = {
    ...log,
    warn: (fields) => void ran.push((fields as { error?: Error }).error?.message),
    child: () => keep,
  };
  const connection = await connectNats({ url: before.url, name: 'test', log });
  t.teardown(() => connection.close());
  const queue = await openJobQueue({ connection, log: keep });
  const leases = leasesOf(t, queue);
  await queue.enqueue(job(1));
  await leases.next();
  const waiting = leases.next();
  const manager = await jetstreamManager(patient(connection));
  while ((await manager.consumers.info('JOBS', 'workers')).num_waiting === 0) await sleep(10);
  const back = connectionBack(connection);
  await before.kill();
  const queued = queue.enqueue(job(2));
  const after = await startNatsServer({ port: before.port, storeDir });
  t.teardown(() => after.stop());
  if (!back.aborted) await once(back, 'abort');
  t.is(await queued, 'queued');
  t.deepEqual((await waiting).job, job(2));
  t.false(
    ran.some((message) => String(message).includes('no answer in time')),
    ran.join('\n'),
  );
});

test('an entry that waits for its time is delivered at once when it is hastened, and says so once', async (t) => {
  const queue = await open(t);
  const leases = leasesOf(t, queue);
  await queue.enqueue(job(1));
  const first = await leases.next();
  t.falsy(first.isHastened);
  await first.postpone(600_000);
  await queue.hasten(job(1));
  const second = await leases.next();
  t.true(second.isHastened);
  await second.postpone(0);
  const third = await leases.next();
  t.falsy(third.isHastened);
  await third.done();
  t.false(await queue.has(job(1)));
  await queue.hasten(job(2));
  t.deepEqual((await leases.next()).job, job(2));
});
