import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Terminal } from '#protocols/errors';
import { connectChain } from '#runtime/chain/connect';
import { silentLogger } from '#runtime/telemetry/logger';
import { type DevnetOptions, startDevnet } from './devnet.ts';
import { freePorts } from './ports.ts';

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sealion-devnet-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function start(t: ExecutionContext, options: Omit<DevnetOptions, 'log'>) {
  const devnet = await startDevnet({ blockTimeMs: 50, log: silentLogger, ...options });
  t.teardown(() => devnet.stop());
  return devnet;
}

test.serial(
  'a devnet serves as devnet.json says, leaves nothing running, and can be restarted',
  async (t) => {
    const crashes: Terminal[] = [];
    const directory = await folder(t);
    const devnet = await start(t, { directory, onCrash: (error) => crashes.push(error) });
    const file = JSON.parse(await readFile(join(directory, 'devnet.json'), 'utf8'));
    t.deepEqual(file, devnet.file);
    t.is(file.pid, process.pid);
    t.is(file.sps.length, 7);
    for (const { id, endpoint, admin } of devnet.file.sps) {
      t.regex(endpoint, new RegExp(`^http://sp${id}\\.localhost:[0-9]+$`));
      t.is(
        (await fetch(endpoint.replace(/\/\/[^:]+/, '//127.0.0.1'))).headers.get('content-type'),
        'application/xml',
      );
      t.like(await (await fetch(`${admin}/health`)).json(), { status: 'serving', spId: id });
    }
    const chain = await connectChain(devnet.file.chain);
    t.teardown(() => chain.close());
    t.truthy(await chain.account(file.accounts[0].address));
    t.deepEqual(
      (await chain.storageProviders()).map(({ endpoint }) => endpoint),
      devnet.file.sps.map(({ endpoint }) => endpoint),
    );

    const victim = devnet.sp(4).pid as number;
    process.kill(victim, 'SIGKILL');
    while (crashes.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    t.regex(
      crashes[0]?.message ?? '',
      /^sp4 ended unexpectedly \(SIGKILL\); the end of its log:\n.*serving/s,
    );

    const pids = [devnet.nats.pid, devnet.chain.pid, ...[1, 2, 3, 5, 6, 7].map((id) => devnet.sp(id).pid)];
    const { height } = await chain.latestBlock();
    await devnet.stop();
    for (const pid of pids) t.throws(() => process.kill(pid as number, 0), { code: 'ESRCH' });
    await t.throwsAsync(readFile(join(directory, 'devnet.json')), { code: 'ENOENT' });

    // What is kept goes on with its keys, its ports and its chain.
    const next = await start(t, { directory, keep: true });
    t.deepEqual(next.file, devnet.file);
    t.true((await chain.latestBlock()).height > height);
  },
);

test.serial('a process that cannot start ends the whole start, with the reason', async (t) => {
  const [port] = await freePorts(1);
  const taken = createServer().listen(port, '127.0.0.1');
  await once(taken, 'listening');
  t.teardown(() => taken.close());
  const directory = await folder(t);
  const error = await t.throwsAsync(start(t, { directory, ports: { gateway: (port as number) - 3 } }), {
    instanceOf: Terminal,
  });
  t.is(error.code, 'devnet-process-failed');
  t.regex(error.message, /sp[0-9] did not start.*cannot listen on 127.0.0.1:/s);
  await t.throwsAsync(readFile(join(directory, 'devnet.json')), { code: 'ENOENT' });
});

test('too few SPs are refused', async (t) => {
  const error = await t.throwsAsync(start(t, { directory: await folder(t), sps: 6 }), {
    instanceOf: Terminal,
  });
  t.is(error.code, 'bad-devnet');
});
