import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { useNetwork } from './network.ts';

const PROGRAM = fileURLToPath(new URL('../cli/sealion.js', import.meta.url));

const network = useNetwork(test);
let folder = '';
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealion-cli-'));
});
test.after.always(() => rm(folder, { recursive: true, force: true }));

function start(args: readonly string[]) {
  return spawn(process.execPath, [PROGRAM, ...args, '--network', network().devnet.path], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs a command to its end. */
async function run(...args: readonly string[]) {
  const child = start(args);
  const ended = once(child, 'close');
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  return { code, output, complaint };
}

/** As `run`, with `--json`: the facts that it reported. */
async function facts(...args: readonly string[]) {
  const { output, code } = await run(...args, '--json');
  const told: { readonly event: string; readonly [field: string]: unknown }[] = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { code, told: told.filter(({ event }) => event !== 'progress'), last: told.at(-1) };
}

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder, randomBytes(6).toString('hex'));
  await writeFile(path, bytes);
  return path;
}

function newName(): string {
  return `bucket-${randomBytes(6).toString('hex')}/some/object`;
}

test('a file is uploaded, inspected and downloaded', async (t) => {
  const [name, content] = [newName(), randomBytes(200_000)];
  const sent = await facts('put', await fileOf(content), name, '--sp', '2');
  t.deepEqual(
    sent.told.map(({ event }) => event),
    ['checksums-computed', 'bucket-created', 'object-created', 'acknowledged', 'waiting', 'sealed'],
  );

  const { output } = await run('status', name);
  t.regex(
    output,
    /^object [0-9]+, 195\.3 KiB, SEALED on chain\nvirtual group [0-9]+: primary sp 2, column 0 at /,
  );
  t.regex(output, /\nstorage provider 2 says "[^"]+"\n$/);

  const copy = join(folder, 'copy');
  t.is((await run('get', name, copy)).code, 0);
  t.true((await readFile(copy)).equals(content));
  t.deepEqual(
    (await readdir(folder)).filter((file) => file.endsWith('.part')),
    [],
  );
});

test('a file that exists already is not sent again, and other bytes do not replace it', async (t) => {
  const [name, file] = [newName(), await fileOf(randomBytes(10))];
  t.is((await run('put', file, name)).code, 0);
  const again = await facts('put', file, name);
  t.deepEqual(
    again.told.map(({ event }) => event),
    ['checksums-computed', 'object-found', 'sealed'],
  );
  const other = await facts('put', await fileOf(randomBytes(10)), name);
  t.is(other.code, 1);
  t.like(other.last, { event: 'failed', code: 'object-exists' });
});

test('with --no-wait a put ends once the provider has the payload', async (t) => {
  const { code, last } = await facts('put', await fileOf(randomBytes(10)), newName(), '--no-wait');
  t.is(code, 0);
  t.is(last?.event, 'acknowledged');
});

test('the actor tree of a provider is shown', async (t) => {
  const { code, last } = await facts('tree', '--sp', '3');
  t.is(code, 0);
  t.like(last, { event: 'tree', spId: 3, tree: { status: 'running' } });
});

test('an error is one line, with exit code 1', async (t) => {
  const present = await fileOf(randomBytes(10));
  const cases: readonly (readonly [code: string, ...args: string[]])[] = [
    ['no-file', 'put', join(folder, 'nothing'), newName()],
    ['no-file', 'put', folder, newName()],
    ['bad-bucket-name', 'put', present, 'Bad_Bucket/object'],
    ['no-such-object', 'get', newName(), join(folder, 'never')],
    ['unknown-sp', 'tree', '--sp', '99'],
  ];
  for (const [expected, ...args] of cases) {
    const { code, told } = await facts(...args);
    t.is(code, 1, args.join(' '));
    t.like(told, { 0: { event: 'failed', code: expected }, length: 1 }, args.join(' '));
  }
});

test('a download to a file that cannot be written fails before it begins', async (t) => {
  const name = newName();
  t.is((await run('put', await fileOf(randomBytes(10)), name)).code, 0);
  for (const file of [join(folder, 'nothing', 'copy'), folder]) {
    const { code, last } = await facts('get', name, file);
    t.is(code, 1);
    t.like(last, { event: 'failed', code: 'file-not-writable' });
  }
});

test('a signal stops a command with the exit code that shells expect', async (t) => {
  const child = start(['tree', '--sp', '1', '--watch']);
  const complaint = text(child.stderr);
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  child.stdout.resume();
  t.deepEqual(await once(child, 'close'), [130, null]);
  t.is(await complaint, 'Stopped by SIGINT.\n');
});

test('a command whose output is closed ends silently', async (t) => {
  const child = start(['tree', '--sp', '1', '--watch']);
  const complaint = text(child.stderr);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  t.deepEqual(await once(child, 'close'), [141, null]);
  t.is(await complaint, '');
});
