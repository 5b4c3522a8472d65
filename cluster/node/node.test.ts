import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Cancelled, Terminal } from '#protocols/errors';
import { accountsConfig } from '#runtime/nats/accounts';
import { startNatsServer } from '#runtime/nats/server';
import { loadConfig } from '../config/load.ts';
import type { NodeConfig } from '../config/schema.ts';
import { startDevnetChain } from '../devnet/chain/start.ts';
import { writeNodeFiles } from '../devnet/node-files.ts';
import { type DevnetPlan, planDevnet } from '../devnet/plan.ts';
import { until } from '../test/until.ts';
import { type RunningNode, startNode } from './node.ts';

interface Place {
  readonly folder: string;
  readonly plan: DevnetPlan;
  readonly config: NodeConfig;
  startChain(): Promise<void>;
  startNats(): Promise<void>;
  start(options?: { readonly config?: NodeConfig; readonly signal?: AbortSignal }): Promise<RunningNode>;
  log(): Promise<string>;
}

/** Configuration and dependencies of SP 1; none of them is running yet. */
async function prepare(t: ExecutionContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-node-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const plan = await planDevnet({});
  const logFile = join(folder, 'node.log');
  const config = await loadConfig(
    await writeNodeFiles(join(folder, 'sp1'), plan, 0, { log: { file: logFile, level: 'debug' } }),
  );
  return {
    folder,
    plan,
    config,
    async startChain() {
      const directory = join(folder, 'chain');
      const chain = await startDevnetChain({
        directory,
        genesis: plan.genesis.chain,
        port: plan.ports.chain,
        blockTimeMs: 50,
      });
      t.teardown(() => chain.stop());
    },
    async startNats() {
      const server = await startNatsServer({
        config: accountsConfig(plan.natsAccounts),
        port: plan.ports.nats[0]?.client as number,
      });
      t.teardown(() => server.stop());
    },
    async start(options = {}) {
      const node = await startNode(options.config ?? config, options);
      t.teardown(() => node.stop());
      return node;
    },
    log: () => readFile(logFile, 'utf8').catch(() => ''),
  };
}

test('a node waits for its chain and nats-server, and serves once they are up', async (t) => {
  const place = await prepare(t);
  const started = place.start();
  await until('it waits for the chain', async () => /waiting for the chain/.test(await place.log()));
  await place.startChain();
  await until('it waits for NATS', async () => /waiting for the home plane/.test(await place.log()));
  await place.startNats();
  const node = await started;
  t.deepEqual(node.ports, { gateway: place.plan.ports.gateways[0], admin: place.plan.ports.admins[0] });
  t.deepEqual(
    node.tree().children.map(({ name }) => name),
    [
      'signer/seal',
      'signer/operator',
      'objects',
      'announcer',
      'approver',
      'receivers',
      'repairer',
      'jobs',
      'caretaker',
    ],
  );

  await node.stop();
  await t.throwsAsync(fetch(`http://127.0.0.1:${node.ports.gateway}`));
  const closed = [...(await place.log()).matchAll(/"part":"([^"]+)","ms":[0-9]+,"msg":"(opened|closed)"/g)];
  const parts = (what: string) => closed.filter(([, , did]) => did === what).map(([, part]) => part);
  t.deepEqual(parts('closed'), parts('opened').reverse());
  t.deepEqual(parts('closed').slice(0, 2), ['drain', 'gateway']);
});

test('a node with the keys of another SP does not start, names each key, and leaves nothing open', async (t) => {
  const place = await prepare(t);
  await place.startChain();
  const config = { ...place.config, sp: { id: 2 } };
  for (const _ of [1, 2]) {
    const error = await t.throwsAsync(place.start({ config }), { instanceOf: Terminal, code: 'wrong-key' });
    t.regex(error.message, /storage provider 2 .*operator key.*approval key.*seal key.*bls key/);
  }
});

test('a node does not start on another chain', async (t) => {
  const place = await prepare(t);
  await place.startChain();
  const chain = { ...place.config.chain, chainId: 'greenfield_1017-1' };
  const error = await t.throwsAsync(place.start({ config: { ...place.config, chain } }), {
    instanceOf: Terminal,
  });
  t.is(error.code, 'wrong-chain');
});

test('a certificate that is not there ends the start at once', async (t) => {
  const place = await prepare(t);
  const tls = { cert: join(place.folder, 'cert.pem'), key: join(place.folder, 'key.pem') };
  const config = { ...place.config, gateway: { ...place.config.gateway, tls } };
  const error = await t.throwsAsync(place.start({ config }), { instanceOf: Terminal });
  t.is(error.code, 'bad-certificate');
});

test('two nodes cannot share a data folder', async (t) => {
  const place = await prepare(t);
  await Promise.all([place.startChain(), place.startNats()]);
  const node = await place.start();
  const error = await t.throwsAsync(place.start());
  t.regex(error.message, /journal in .*sp1\/data\/journal is open in another process/);
  await node.stop();
  const config = { ...place.config, dataDir: join(place.folder, 'b') };
  const sharing = { config: { ...config, journal: { ...config.journal, adapter: 'jetstream' as const } } };
  await place.start(sharing);
  await t.throwsAsync(place.start(sharing), { code: 'data-folder-in-use' });
});

test('a wrong NATS password ends the start at once', async (t) => {
  const place = await prepare(t);
  await Promise.all([place.startChain(), place.startNats()]);
  const { nats } = place.config;
  const config = { ...place.config, nats: { ...nats, home: { ...nats.home, password: 'wrong' } } };
  await t.throwsAsync(place.start({ config }), { instanceOf: Terminal, code: 'nats-refused' });
});

test('a waiting start can be cancelled', async (t) => {
  const place = await prepare(t);
  const giveUp = new AbortController();
  const started = place.start({ signal: giveUp.signal });
  await until('it waits for the chain', async () => /waiting for the chain/.test(await place.log()));
  giveUp.abort();
  await t.throwsAsync(started, { instanceOf: Cancelled });
});

test('passwords can be read from files', async (t) => {
  const place = await prepare(t);
  await Promise.all([place.startChain(), place.startNats()]);
  const file = join(place.folder, 'password');
  await writeFile(file, `${place.plan.natsAccounts[0]?.homePassword}\n`, { mode: 0o600 });
  const { nats } = place.config;
  const config = { ...place.config, nats: { ...nats, home: { ...nats.home, password: { file } } } };
  const node = await place.start({ config });
  const health = await fetch(`http://127.0.0.1:${node.ports.admin}/health`);
  t.like(await health.json(), { node: 'sp-1@a', durability: 'crash-safe' });
});
