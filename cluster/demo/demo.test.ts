import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { withPostgres } from '#runtime/testing/programs';

const PROGRAM = fileURLToPath(new URL('./main.js', import.meta.url));

const testNodes = await withPostgres(test.serial);
const folder = await mkdtemp(join(tmpdir(), 'sealion-demo-test-'));
test.after.always(() => rm(folder, { recursive: true, force: true }));

/** Runs the demo with its temporary files below `folder`, where the test sees what is left. */
async function demo(size: number, ...args: readonly string[]) {
  const file = join(folder, `file-${size}`);
  await writeFile(file, randomBytes(size));
  const child = spawn(process.execPath, [PROGRAM, file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  const ended = once(child, 'close');
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await ended;
  const left = (await readdir(folder)).filter((name) => !name.startsWith('file-'));
  return { code, output, complaint, left };
}

test.serial('a file is uploaded, sealed and downloaded, and everything stops afterwards', async (t) => {
  const { code, output, complaint, left } = await demo(100_000);
  t.is(complaint, '');
  t.is(code, 0);
  for (const said of ['UPLOAD_OBJECT_DONE', 'SEAL_OBJECT_DONE', 'the download is identical to the file']) {
    t.true(output.includes(said), said);
  }
  t.is(output.match(/ holds column [0-5]\n/g)?.length, 6);
  t.true(output.endsWith('\neverything has stopped\n'));
  t.deepEqual(left, []);
});

testNodes('a node that is killed after the acknowledgement is replaced by another one', async (t) => {
  const { code, output, complaint, left } = await demo(100_000, '--nodes', '3', '--ack-wait', '2000');
  t.is(complaint, '');
  t.is(code, 0);
  t.regex(
    output,
    /^node [abc] took the upload(, node [abc]| and) works on the object\nnode [abc] is killed/m,
  );
  const [, killed, successor] =
    /^take-over {4}.*node ([abc]) [a-z ]+ was killed before the seal, node ([abc]) took over after [0-9.]+ m?s$/m.exec(
      output,
    ) ?? [];
  t.truthy(successor);
  t.not(successor, killed);
  const [, last] = /SEAL_OBJECT_DONE {2}\(node ([abc])\)/.exec(output) ?? [];
  t.truthy(last);
  // The successor, unless the machine stalled for longer than its lease lasts.
  t.not(last, killed);
  t.true(output.includes('the download is identical to the file'));
  t.deepEqual(left, []);
});

test.serial('an empty file is refused, since it needs no upload', async (t) => {
  const { code, complaint } = await demo(0);
  t.is(code, 1);
  t.regex(complaint, /^Failed: .* is empty: .* \(empty-file\)\n$/);
});
