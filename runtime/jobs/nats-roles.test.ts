import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { connectNats } from '../nats/connect.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { unlessStalled } from '../testing/stalls.ts';
import { openRoles } from './nats-roles.ts';
import type { Roles } from './roles.ts';
import { WorkQueue } from './work-queue.ts';

const ACK_WAIT_MS = 2_000;
const log = silentLogger;
let server: NatsServer;

test.before(async () => {
  server = await startNatsServer();
});
test.after.always(() => server?.stop());

/** A node's roles; what it waits for or holds ends with the test. */
async function node(
  t: ExecutionContext,
  ackWaitMs = ACK_WAIT_MS,
): Promise<{ roles: Roles; signal: AbortSignal }> {
  const connection = await connectNats({ url: server.url, name: 'test', log });
  const owner = new AbortController();
  t.teardown(async () => {
    owner.abort();
    await connection.close();
  });
  return { roles: await openRoles({ connection, ackWaitMs, log }), signal: owner.signal };
}

test('one node holds a role until it releases it, then another does', async (t) => {
  const [one, other] = [await node(t), await node(t)];
  await unlessStalled(t, ACK_WAIT_MS / 2, async (attempt) => {
    const role = `signer.${randomUUID()}`;
    const first = await one.roles.hold(role, one);
    const waiting = other.roles.hold(role, other);
    attempt.is(await Promise.race([waiting, sleep(2.5 * ACK_WAIT_MS, 'waits')]), 'waits');
    attempt.false(first.signal.aborted);

    await first.release();
    attempt.is(first.signal.reason.code, 'role-released');
    const second = await waiting;
    attempt.is(second.role, role);
    await first.release();
    attempt.false(second.signal.aborted);
    await second.release();
    await (await one.roles.hold(role, one)).release();
  });
});

test('roles are independent of each other', async (t) => {
  const { roles, signal } = await node(t);
  const holdings = await Promise.all(
    ['caretaker', 'signer.0xB', 'signer'].map((r) => roles.hold(r, { signal })),
  );
  await Promise.all(holdings.map((holding) => holding.release()));
  t.is(holdings.length, 3);
});

test('the role of a killed node passes to another', async (t) => {
  const script = new URL('./nats-jobs.child.js', import.meta.url);
  const victim = fork(script, [server.url, String(ACK_WAIT_MS), 'victims']);
  t.teardown(() => victim.kill('SIGKILL'));
  t.is((await once(victim, 'message'))[0], 'victims');
  victim.kill('SIGKILL');
  const { roles, signal } = await node(t);
  await (await roles.hold('victims', { signal })).release();
});

test('a role passes on within seconds of its holder’s end, however long leases are', async (t) => {
  const script = new URL('./nats-jobs.child.js', import.meta.url);
  // Long enough that the test would hang if it were waited for.
  const ackWaitMs = 600_000;
  const victim = fork(script, [server.url, String(ackWaitMs), 'brief']);
  t.teardown(() => victim.kill('SIGKILL'));
  t.is((await once(victim, 'message'))[0], 'brief');
  victim.kill('SIGKILL');
  const { roles, signal } = await node(t, ackWaitMs);
  await (await roles.hold('brief', { signal })).release();
});

test('a role created with a longer ack_wait by an older release passes on as quickly', async (t) => {
  const connection = await connectNats({ url: server.url, name: 'older', log });
  t.teardown(() => connection.close());
  const older = await WorkQueue.open('ROLES', 'role.>', { connection, ackWaitMs: 600_000, log });
  await older.publish('role.old');
  const { signal } = new AbortController();
  t.is((await older.pull('old', 'role.old', signal))?.subject, 'role.old');
  const one = await node(t);
  await (await one.roles.hold('old', one)).release();
});

test('waiting for a role can be cancelled', async (t) => {
  const [one, other] = [await node(t), await node(t)];
  const holding = await one.roles.hold('wanted', one);
  const waiting = other.roles.hold('wanted', { signal: AbortSignal.timeout(100) });
  await t.throwsAsync(waiting, { name: 'Cancelled' });
  await holding.release();
});

test('a bad name is refused', async (t) => {
  const { roles, signal } = await node(t);
  for (const role of ['', 'a b', '*', '>', 'a.', '.a', 'a..b']) {
    await t.throwsAsync(roles.hold(role, { signal }), { name: 'Terminal', code: 'bad-role' });
  }
});
