import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import test from 'ava';
import { expectChecksums } from '#protocols/integrity/expect-checksums';
import { readNetwork } from '../cli/network.ts';
import { Session } from '../cli/session.ts';
import { compiledProgram } from '../compiled.ts';
import { network } from './users.ts';

const PROGRAM = compiledProgram('cli/sealion');

let folder = '';
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealion-cli-'));
});
test.after.always(() => rm(folder, { recursive: true, force: true }));

function start(args: readonly string[]) {
  return spawn(process.execPath, [PROGRAM, ...args, '--network', network().devnet.path], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Runs a command to its end. */
function run(...args: readonly string[]) {
  return runWith(undefined, args);
}

/** @param input for its standard input */
async function runWith(input: Uint8Array | undefined, args: readonly string[]) {
  const child = start(args);
  child.stdin.end(input);
  const ended = once(child, 'close');
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  return { code, output, complaint };
}

/** As `run`, with `--json`. @returns the reported facts */
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

/** Stores an object without the command line. @returns its name, and what it contains */
async function stored(size: number): Promise<{ readonly name: string; readonly content: Uint8Array }> {
  const net = network();
  const object = await net.createObject(await net.createBucket(1), { size });
  await net.put(1, object);
  await net.sealed(object);
  return { name: `${object.bucketName}/${object.objectName}`, content: object.payload };
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
  t.false((await readdir(folder)).includes('copy.part'));

  const downloads = await mkdtemp(join(folder, 'downloads-'));
  t.like((await facts('get', name, downloads)).last, {
    event: 'downloaded',
    file: join(downloads, 'object'),
  });
  t.true((await readFile(join(downloads, 'object'))).equals(content));
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
    ['no-file', 'put', await mkdtemp(join(folder, 'empty-')), newName()],
    ['no-name', 'put', '-'],
    ['bad-bucket-name', 'put', present, 'Bad_Bucket/object'],
    ['no-such-object', 'get', newName(), join(folder, 'never')],
    ['no-such-bucket', 'ls', newName()],
    ['bad-bucket-name', 'ls', 'x/'],
    ['unknown-sp', 'tree', '--sp', '99'],
  ];
  for (const [expected, ...args] of cases) {
    const { code, told } = await facts(...args);
    t.is(code, 1, args.join(' '));
    t.like(told, { 0: { event: 'failed', code: expected }, length: 1 }, args.join(' '));
  }
});

test('several files and the files in folders become objects, each with its media type', async (t) => {
  const [bucketName] = newName().split('/');
  const photos = join(folder, 'photos');
  await mkdir(join(photos, 'more'), { recursive: true });
  for (const name of ['a.jpg', 'more/b.html', 'more/c']) await writeFile(join(photos, name), name);
  const single = join(folder, 'd.txt');
  await writeFile(single, 'd');
  const sent = await facts('put', photos, single, `${bucketName}/x`, '--visibility', 'public-read');
  t.is(sent.code, 0);
  t.is(sent.told.filter(({ event }) => event === 'sealed').length, 4);
  for (const [name, contentType] of [
    ['x/photos/a.jpg', 'image/jpeg'],
    ['x/photos/more/b.html', 'text/html; charset=utf-8'],
    ['x/photos/more/c', 'application/octet-stream'],
    ['x/d.txt', 'text/plain; charset=utf-8'],
  ] as const) {
    const found = await network().chain.object(bucketName ?? '', name);
    t.like(found?.object, { contentType, visibility: 'PUBLIC_READ' }, name);
  }

  await writeFile(single, 'other content');
  const again = await facts('put', photos, single, `${bucketName}/x`);
  t.is(again.code, 1);
  t.like(again.last, { event: 'failed', code: 'files-failed', message: '1 of 4 files failed.' });
  t.like(
    again.told.find(({ event }) => event === 'file-failed'),
    { name: `${bucketName}/x/d.txt`, code: 'object-exists' },
  );
});

test('buckets and the objects in them are listed', async (t) => {
  const [bucketName = ''] = newName().split('/');
  const notes = join(folder, 'notes');
  await mkdir(notes);
  for (const name of ['b.txt', 'a.txt']) await writeFile(join(notes, name), name);
  t.is((await run('put', notes, `${bucketName}/`, '--sp', '3', '--visibility', 'public-read')).code, 0);
  t.is((await run('put', await fileOf(randomBytes(2_000)), `${bucketName}/z`)).code, 0);

  const buckets = await facts('ls');
  t.is(buckets.code, 0);
  t.like(
    buckets.told.find(({ name }) => name === bucketName),
    { event: 'bucket', status: 'CREATED', visibility: 'PRIVATE', spId: 3 },
  );
  t.regex((await run('ls')).output, /in service +20..-..-.. ..:..Z +private +sp 3 +/);

  const { output } = await run('ls', bucketName);
  const time = '20..-..-.. ..:..Z';
  const lines = [
    ` 5 bytes  sealed         ${time}  public-read                   ${bucketName}/notes/a.txt`,
    ` 5 bytes  sealed         ${time}  public-read                   ${bucketName}/notes/b.txt`,
    ` 2.0 KiB  sealed         ${time}  private \\(as its bucket\\)       ${bucketName}/z`,
    '3 objects, 2.0 KiB',
  ];
  t.regex(output, new RegExp(`^${lines.join('\n').replaceAll(' ', ' *')}\n$`));
  const some = await facts('ls', `${bucketName}/notes/b`);
  t.like(some.told, {
    0: { event: 'object', name: `${bucketName}/notes/b.txt`, bytes: 5, status: 'SEALED' },
    1: { event: 'listed', objects: 1, bytes: 5 },
    length: 2,
  });

  const few = await facts('ls', bucketName, '--limit', '2');
  t.is(few.code, 1);
  t.is(few.told.filter(({ event }) => event === 'object').length, 2);
  t.like(few.last, { event: 'failed', code: 'list-cut' });
});

test('standard input becomes an object, and an object goes to standard output', async (t) => {
  const [name, content] = [`${newName()}.json`, randomBytes(200_000)];
  t.is((await runWith(content, ['put', '-', name])).code, 0);
  const child = start(['get', name, '-']);
  const [bytes, complaint] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
  t.true(bytes.equals(content));
  t.regex(complaint, /195\.3 KiB, SHA-256 [0-9a-f]{64}\n$/);
});

test('an interrupted upload sends only what is missing', async (t) => {
  const content = randomBytes(200_000);
  const address = { bucketName: await network().createBucket(1), objectName: 'some/object' };
  const { bucketName } = address;
  const name = `${bucketName}/${address.objectName}`;
  const session = await Session.open(await readNetwork(network().devnet.path));
  t.teardown(() => session.close());
  const params = await session.chain.storageParams();
  const checksums = await expectChecksums([content], { ...params, redundancy: 'EC' });
  await session.account.createObject({ ...address, payloadSize: content.length, checksums });
  const sp = session.sp(await session.primaryFor(bucketName, undefined, AbortSignal.timeout(60_000)));
  const bytes = content.subarray(0, params.maxSegmentSize);
  await sp.putPart(address, { offset: 0, bytes, complete: false });

  const { code, told } = await facts('put', await fileOf(content), name);
  t.is(code, 0);
  t.like(
    told.find(({ event }) => event === 'resumed'),
    { offset: params.maxSegmentSize },
  );
  const copy = join(folder, 'resumed');
  t.is((await run('get', name, copy)).code, 0);
  t.true((await readFile(copy)).equals(content));
});

test('an interrupted download fetches only what is missing, and the whole is verified', async (t) => {
  const { name, content } = await stored(200_000);
  const copy = join(folder, 'continued');
  await writeFile(`${copy}.part`, content.subarray(0, 150_001));
  const { code, told } = await facts('get', name, copy);
  t.is(code, 0);
  t.like(told, { 0: { event: 'resumed', offset: 150_001 }, 1: { event: 'downloaded', bytes: 200_000 } });
  t.true((await readFile(copy)).equals(content));

  const other = join(folder, 'other');
  await writeFile(`${other}.part`, randomBytes(1_000));
  const damaged = await facts('get', name, other);
  t.is(damaged.code, 1);
  t.like(damaged.last, { event: 'failed', code: 'integrity-mismatch' });
  t.is((await facts('get', name, other)).code, 0);
  t.true((await readFile(other)).equals(content));
});

test('wrong arguments end with exit code 2', async (t) => {
  for (const args of [['put'], ['put', 'x', '--visibility', 'everybody'], ['no-such-command']]) {
    t.is((await run(...args)).code, 2, args.join(' '));
  }
  t.regex((await run('put')).complaint, /\(see sealion put --help\)/);
  t.is((await run('--help')).code, 0);
});

test('a download to a file that cannot be written fails before it begins', async (t) => {
  const { name } = await stored(10);
  const { code, last } = await facts('get', name, join(folder, 'nothing', 'copy'));
  t.is(code, 1);
  t.like(last, { event: 'failed', code: 'file-not-writable' });
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
