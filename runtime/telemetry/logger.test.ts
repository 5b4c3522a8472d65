import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { Retryable, Terminal } from '#protocols/errors';
import { createLogger, type Logger } from './logger.ts';

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sealion-log-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

/** Calls `write` with a logger to a file, and returns the lines once the expected number has been written. */
async function linesOf(
  t: ExecutionContext,
  count: number,
  write: (log: Logger) => void,
): Promise<Record<string, unknown>[]> {
  const file = join(await folder(t), 'logs/node.log');
  write(createLogger({ file, fields: { node: 'sp-1@a' } }));
  for (;;) {
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    if (lines.length >= count && lines[0] !== '') return lines.map((line) => JSON.parse(line));
    await sleep(5);
  }
}

test('a line has level and time as text, the fields of the logger and its own', async (t) => {
  const [first, second] = await linesOf(t, 2, (log) => {
    log.debug({}, 'not at this level');
    log.info({ size: 3 }, 'stored');
    log.child({ job: '4711.0' }).warn({}, 'slow');
  });
  t.like(first, { level: 'info', node: 'sp-1@a', size: 3, msg: 'stored' });
  t.true(Date.parse(first?.time as string) > 0);
  t.like(second, { level: 'warn', node: 'sp-1@a', job: '4711.0', msg: 'slow' });
});

test('an error is written with code, advice and every cause', async (t) => {
  const root = new Error('connect ECONNREFUSED');
  const cause = new Retryable({ code: 'chain-unavailable', message: 'No node answers.', cause: root });
  const error = new Terminal({ code: 'seal-failed', message: 'Not sealed.', advice: 'Wait.', cause });
  const [line] = await linesOf(t, 1, (log) => log.error({ error }, 'gave up'));
  t.like(line?.error, {
    type: 'Terminal',
    code: 'seal-failed',
    message: 'Not sealed.',
    advice: 'Wait.',
    cause: {
      type: 'Retryable',
      code: 'chain-unavailable',
      cause: { message: 'connect ECONNREFUSED' },
    },
  });
});

test('fields named as secrets are not written', async (t) => {
  const [line] = await linesOf(t, 1, (log) =>
    log.info(
      {
        password: 'hush',
        nats: { url: 'nats://a', password: 'hush' },
        config: { peers: { token: 'hush' } },
        headers: { authorization: 'hush' },
      },
      'config',
    ),
  );
  t.false(JSON.stringify(line).includes('hush'));
  t.like(line, { nats: { url: 'nats://a' } });
});

test('a log file is appended to', async (t) => {
  const file = join(await folder(t), 'node.log');
  await writeFile(file, 'before\n');
  createLogger({ file }).info({}, 'after');
  for (;;) {
    const text = await readFile(file, 'utf8');
    if (text.includes('after')) return t.true(text.startsWith('before\n{'));
    await sleep(5);
  }
});

test('a log file that cannot be written is an error at start', async (t) => {
  const file = join(await folder(t), 'file');
  await writeFile(file, '');
  const error = t.throws(() => createLogger({ file: join(file, 'node.log') }), { instanceOf: Terminal });
  t.is(error.code, 'log-unwritable');
  t.truthy(error.advice);
});

test('a line is safe to show in a terminal, whatever others put into it', async (t) => {
  const name = 'a\u001b]0;owned\u0007\u009b2J\u007f\u202e\n{"level":"error"}';
  const file = join(await folder(t), 'node.log');
  createLogger({ file }).info({ object: name }, 'stored');
  for (;;) {
    const text = await readFile(file, 'utf8');
    if (text.endsWith('\n')) {
      t.notRegex(text.slice(0, -1), /[\p{Cc}\u202e]/u);
      t.is((JSON.parse(text) as { object: string }).object, name);
      return;
    }
    await sleep(5);
  }
});
