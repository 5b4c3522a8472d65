import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { connectNats } from '#runtime/nats/connect';
import { startNatsServer } from '#runtime/nats/server';
import { silentLogger } from '#runtime/telemetry/logger';
import { withProgram } from '#runtime/testing/programs';
import { serveGateway } from '../server.ts';
import { storedObject } from '../testing/stored.ts';

const run = promisify(execFile);
const MiB = 2 ** 20;

/** The command line that makes each program continue a download into the file `a.jpg` in its folder. */
const PROGRAMS = {
  curl: ['--silent', '--show-error', '--continue-at', '-', '--output', 'a.jpg'],
  wget: ['--quiet', '--tries=1', '--continue'],
};

/** A folder, and the address of an object of 3 MiB. */
async function served(t: ExecutionContext): Promise<{ folder: string; url: string; payload: Buffer }> {
  const nats = await startNatsServer();
  t.teardown(() => nats.stop());
  const connection = await connectNats({ url: nats.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  const { app, payload } = await storedObject(t, connection, randomBytes(3 * MiB), 2 * MiB);
  const options = { host: '127.0.0.1', port: 0, closeTimeoutMs: 0, log: silentLogger };
  const server = await serveGateway(app, options);
  t.teardown(() => server.close());
  const folder = await mkdtemp(join(tmpdir(), 'sealion-resume-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return { folder, payload, url: `http://127.0.0.1:${server.port}/photos/a.jpg` };
}

for (const [program, options] of Object.entries(PROGRAMS)) {
  const title = `${program} continues a download that was interrupted, and leaves a complete one as it is`;
  withProgram(test, program)(title, async (t) => {
    const { folder, url, payload } = await served(t);
    const file = join(folder, 'a.jpg');
    for (const there of [2 * MiB + 1, 1, payload.length]) {
      await writeFile(file, payload.subarray(0, there));
      await run(program, [...options, url], { cwd: folder });
      t.true(payload.equals(await readFile(file)), `${there} bytes were there`);
    }
  });
}
