import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { Cancelled, Terminal } from '#protocols/errors';
import { DevnetProcess } from './process.ts';

const CHILD = fileURLToPath(new URL('./process.child.js', import.meta.url));

async function prepare(t: ExecutionContext, task: string) {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-process-'));
  const logFile = join(folder, 'child.log');
  let tell: (error: Terminal) => void;
  const crash = new Promise<Terminal>((resolve) => {
    tell = resolve;
  });
  const child = new DevnetProcess({
    name: 'sp1',
    program: CHILD,
    args: [task],
    logFile,
    onCrash: (error) => tell(error),
  });
  t.teardown(async () => {
    await child.kill();
    await rm(folder, { recursive: true });
  });
  return { child, crash, log: () => readFile(logFile, 'utf8') };
}

test('a process is started, stopped in order, and started again', async (t) => {
  const { child, log } = await prepare(t, 'serves');
  t.deepEqual(await child.start(), { http: 8080 });
  const first = child.pid as number;
  await child.restart();
  t.not(child.pid, first);
  t.throws(() => process.kill(first, 0), { code: 'ESRCH' });
  await child.stop();
  t.is(child.pid, undefined);
  t.is((await log()).match(/stopped in order, signal true/g)?.length, 2);
});

test('a process that does not respond is stopped nevertheless', async (t) => {
  const { child, log } = await prepare(t, 'serves');
  await child.start();
  child.signal('SIGSTOP');
  await child.stop();
  t.regex(await log(), /stopped in order/);
});

test('a killed process ends at once, and does not count as a crash', async (t) => {
  const { child, crash, log } = await prepare(t, 'serves');
  await child.start();
  await child.kill();
  t.is(await Promise.race([crash, 'none']), 'none');
  t.notRegex(await log(), /stopped in order/);
});

test('a process that cannot start is reported with the end of its log', async (t) => {
  const { child } = await prepare(t, 'fails');
  const error = await t.throwsAsync(child.start(), { instanceOf: Terminal, code: 'devnet-process-failed' });
  t.regex(error.message, /sp1 did not start.*no luck today/s);
  t.is(child.pid, undefined);
});

test('a cancelled start leaves no process', async (t) => {
  const { child } = await prepare(t, 'starts for ever');
  const giveUp = new AbortController();
  const started = child.start(giveUp.signal);
  while (child.pid === undefined) await new Promise(setImmediate);
  const { pid } = child;
  giveUp.abort();
  await t.throwsAsync(started, { instanceOf: Cancelled });
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

for (const [task, how, shows] of [
  ['crashes later', 'SIGKILL', ''],
  ['leaves a rejection', 'code 1', 'nobody caught me'],
] as const) {
  test(`a process that ${task} is reported`, async (t) => {
    const { child, crash } = await prepare(t, task);
    await child.start();
    const error = await crash;
    t.true(error.message.includes(`sp1 ended unexpectedly (${how})`), error.message);
    t.true(error.message.includes(shows));
  });
}

test('a second signal ends a program that hangs during its stop', async (t) => {
  const child = spawn(process.execPath, [CHILD, 'never stops'], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  await once(child.stderr, 'data');
  child.kill('SIGINT');
  t.deepEqual(await ended, [130, null]);
});

test('a program whose parent is gone stops cleanly', async (t) => {
  const child = spawn(process.execPath, [CHILD, 'serves'], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  await once(child.stdout as Readable, 'data');
  child.disconnect();
  t.deepEqual(await ended, [0, null]);
});
