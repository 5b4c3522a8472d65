import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { createReporter } from '../cli/reporter.ts';
import { runBench } from './bench.ts';
import { parseOptions } from './options.ts';
import type { BenchReport } from './report.ts';
import { erasure } from './scenarios/erasure.ts';

const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.url));

async function start(t: ExecutionContext, ...args: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-bench-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const json = join(folder, 'report.json');
  const child = spawn(process.execPath, [PROGRAM, '--json', json, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  const ended = once(child, 'close');
  const end = async () => {
    const [output, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    const left = (await readdir(folder)).filter((name) => name !== 'report.json');
    const report = await readFile(json, 'utf8').then(
      (written) => JSON.parse(written) as BenchReport,
      () => undefined,
    );
    return { output, complaint, code, left, report };
  };
  return { child, end };
}

async function bench(t: ExecutionContext, ...args: string[]) {
  return (await start(t, ...args)).end();
}

test.serial('a scenario is measured on a devnet of its own, and everything stops again', async (t) => {
  const few = ['--set', 'small.objects=3', '--set', 'small.warmUp=1'];
  const { output, complaint, code, left, report } = await bench(t, '--only', 'small', '--quick', ...few);
  t.is(complaint, '');
  t.is(code, 0);
  t.deepEqual(left, []);
  t.deepEqual(report?.missing, {});
  t.is(report?.sizes['small.objects'], 3);
  const figure = (name: string) => report?.figures.find((one) => one.name === name);
  t.true((figure('small.acks')?.floor?.value ?? 0) > 0);
  t.true((figure('small.seals')?.value ?? 0) > 0);
  if (process.platform === 'linux') t.true((figure('small.cpu-secondary')?.value ?? 0) > 0);
  t.regex(output, /\| small\.acks +\| acknowledged +\| /);
});

test('a scenario that waits without end is over when the time is up', async (t) => {
  const work = setInterval(() => {}, 1_000);
  t.teardown(() => clearInterval(work));
  const endless = { ...erasure, run: () => new Promise<never>(() => {}) };
  const options = { ...parseOptions([]), only: [endless], minutes: 0.005 };
  const { report } = await runBench(
    options,
    createReporter({ out: { write: () => true } }),
    new AbortController().signal,
  );
  t.deepEqual(report.missing, { erasure: 'the time was up' });
});

test.serial('an interrupted bench stops its devnet', async (t) => {
  const { child, end } = await start(t, '--only', 'small');
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  t.regex(String(first), /starting a devnet/);
  child.kill('SIGINT');
  const { code, left, report } = await end();
  t.is(code, 130);
  t.deepEqual(left, []);
  t.is(report, undefined);
});

test.serial('an unknown scenario or size is refused with a list of the known ones', async (t) => {
  t.regex((await bench(t, '--only', 'tiny')).complaint, /scenario "tiny"; .*small/);
  t.regex((await bench(t, '--set', 'small.colour=3')).complaint, /small\.objects/);
});
