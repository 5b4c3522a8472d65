import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Terminal } from '#protocols/errors';
import { loadConfig, parseConfig } from './load.ts';

const EXAMPLE = fileURLToPath(new URL('../../../cluster/deploy/sealion.example.yaml', import.meta.url));

const SMALLEST = `
sp: { id: 7 }
node: a
dataDir: data
chain: { rpc: ['http://127.0.0.1:26657'], chainId: greenfield_9000-1741 }
nats:
  home: { url: 'nats://127.0.0.1:4222' }
  peers: { url: 'nats://127.0.0.1:4222' }
keys:
  operator: { file: operator.key }
  approval: { env: APPROVAL }
  seal: { file: /keys/seal.key }
  bls: { env: BLS }
`;

/** The message of the error that a change of the smallest configuration gives. */
function fault(change: (text: string) => string): string {
  const changed = change(SMALLEST);
  if (changed === SMALLEST) throw new Error('The change changes nothing.');
  try {
    parseConfig(changed, '/etc/sealion.yaml');
  } catch (error) {
    if (error instanceof Terminal && error.code === 'bad-config') return error.message;
    throw error;
  }
  return 'accepted';
}

test('the smallest configuration gets every default', (t) => {
  t.deepEqual(parseConfig(SMALLEST, '/etc/sealion.yaml'), {
    sp: { id: 7 },
    node: 'a',
    dataDir: '/etc/data',
    roles: 'all',
    chain: {
      rpc: ['http://127.0.0.1:26657'],
      chainId: 'greenfield_9000-1741',
      fees: { gasPriceGwei: 5, gasHeadroom: 2, maxFeeBnb: 0.005 },
      sealsPerTransaction: 10,
    },
    gateway: {
      listen: { host: '0.0.0.0', port: 9033 },
      domains: [],
      anyHost: false,
      proxies: [],
      perClient: { connections: 1_000, requestsPerSecond: 500, bytesPerSecond: 2 ** 30 },
      keepAliveSeconds: 75,
      drainSeconds: 5,
      delegation: { enabled: true, perAccountPerHour: 1_000 },
      corsOrigins: ['*'],
    },
    admin: {
      listen: { host: '127.0.0.1', port: 9133 },
      hosts: [],
      tokens: {},
      openLoopback: false,
      probes: ['127.0.0.0/8', '::1'],
    },
    nats: {
      home: { url: 'nats://127.0.0.1:4222', replicas: 1, syncAlways: false, shared: false },
      peers: { url: 'nats://127.0.0.1:4222' },
    },
    peers: { wires: ['nats', 'http'], allowPrivateEndpoints: false },
    keys: {
      operator: { file: '/etc/operator.key' },
      approval: { env: 'APPROVAL' },
      seal: { file: '/keys/seal.key' },
      bls: { env: 'BLS' },
    },
    limits: {
      byteBudget: 256 * 2 ** 20,
      concurrentUploads: 128,
      concurrentDownloads: 1_024,
      concurrentReceptions: 256,
      concurrentJobs: 64,
      concurrentColumns: 64,
      bytesPerSp: 8 * 2 ** 20,
      minUploadRate: 16 * 1024,
      minDownloadRate: 16 * 1024,
      idleTimeoutMs: 30_000,
      diskReserve: 10 * 2 ** 30,
      scrubRate: 8 * 2 ** 20,
    },
    timing: {
      jobDeadlineHours: 24,
      spaceHours: 6,
      replacedMinutes: 60,
      scrubDays: 30,
      ackWaitMs: 10_000,
      offerTimeoutMs: 60_000,
      stallTimeoutMs: 30_000,
    },
    journal: { adapter: 'level', retentionDays: 7 },
    records: { adapter: 'sqlite' },
    telemetry: { traces: { sampling: 0.01 } },
    log: { level: 'info' },
  });
});

test('the example is valid, and the defaults that it shows are the defaults', async (t) => {
  const example = await loadConfig(EXAMPLE);
  t.is(example.sp.operatorAddress, '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A');
  const shown = readFileSync(EXAMPLE, 'utf8').replace(/^( *)# ([a-zA-Z]+: )/gm, '$1$2');
  const uncommented = parseConfig(shown, EXAMPLE);
  t.deepEqual(uncommented, {
    ...example,
    gateway: {
      ...example.gateway,
      tls: {
        cert: join(dirname(EXAMPLE), 'tls/fullchain.pem'),
        key: join(dirname(EXAMPLE), 'tls/privkey.pem'),
      },
    },
    telemetry: { traces: { ...example.telemetry.traces, endpoint: 'http://127.0.0.1:4318/v1/traces' } },
    admin: {
      ...example.admin,
      tokens: {
        view: { file: join(dirname(EXAMPLE), 'keys/admin-view.token') },
        act: { file: join(dirname(EXAMPLE), 'keys/admin-act.token') },
      },
    },
    limits: { ...example.limits, maxPayload: 64 * 2 ** 30 },
    records: {
      ...example.records,
      postgres: {
        url: 'postgresql://sealion@127.0.0.1:5432/sealion',
        password: { file: '/etc/sealion/keys/postgres.password' },
      },
    },
    log: { ...example.log, file: '/var/log/sealion/node.log' },
  });
});

test('the example shows every setting', (t) => {
  const text = readFileSync(EXAMPLE, 'utf8');
  const unknown = (section: string): string => fault((config) => `${config}${section}`);
  const known = [
    unknown('nothing: 1'),
    ...['gateway', 'admin', 'peers', 'limits', 'timing', 'journal', 'records', 'log'].map((name) =>
      unknown(`${name}: { nothing: 1 }`),
    ),
  ].flatMap((message) => (/expected one of (.*)\./.exec(message)?.[1] ?? '').split(', '));
  t.true(known.length > 20);
  for (const key of known) t.regex(text, new RegExp(`^ *(# )?${key}:`, 'm'));
});

test('PostgreSQL needs a URL, and a password that is not part of it', (t) => {
  const records = (text: string) => fault((config) => `${config}records: { adapter: postgres${text} }`);
  t.regex(records(''), /records\.postgres is missing: expected the database: its url/);
  t.regex(
    records(', postgres: { url: "postgresql://a:secret@db/sealion" }'),
    /records\.postgres\.url is not valid: expected a URL without a password/,
  );
  t.is(records(', postgres: { url: "postgresql://a@db/sealion" }'), 'accepted');
});

test('an unknown key is rejected with its location and the known keys', (t) => {
  t.is(
    fault((text) => text.replace('node: a', 'node: a\nnods: b')),
    '/etc/sealion.yaml:4:1: "nods" is not known: expected one of sp, node, dataDir, roles, chain, gateway, admin, ' +
      'nats, peers, keys, limits, timing, journal, records, telemetry, log.',
  );
  t.is(
    fault((text) => `${text}log:\n  levle: debug\n`),
    '/etc/sealion.yaml:15:3: "levle" is not known in log: expected one of level, file.',
  );
});

test('a missing key is reported with its location', (t) => {
  t.is(
    fault((text) => text.replace('sp: { id: 7 }', 'sp: {}')),
    '/etc/sealion.yaml:2:5: sp.id is missing: expected the id of the SP on the chain, a whole number from 1 to 4294967295.',
  );
  t.regex(
    fault((text) => text.replace('  seal: { file: /keys/seal.key }\n', '')),
    /^\/etc\/sealion\.yaml:10:3: keys\.seal is missing: expected where the seal key is stored: \{ file: <path> \} or/,
  );
});

test('a node needs the keys that its roles sign with, and no others', (t) => {
  const all = { approval: '{ env: APPROVAL }', seal: '{ file: /keys/seal.key }', bls: '{ env: BLS }' };
  const missing = (roles: string, wires: string) =>
    Object.entries(all).flatMap(([key, place]) => {
      const message = fault((text) =>
        text
          .replace(`  ${key}: ${place}\n`, '')
          .concat(
            `roles: ${roles}\npeers: { wires: ${wires} }\njournal: { adapter: jetstream }\n`,
            'records: { adapter: postgres, postgres: { url: "postgresql://sealion@db/sealion" } }\n',
          ),
      );
      if (message === 'accepted') return [];
      t.regex(
        message,
        new RegExp(`keys\\.${key} is missing: expected .*; a node with the role .* signs with it`),
      );
      return key;
    });
  t.deepEqual(missing('[task]', '[nats, http]'), []);
  t.deepEqual(missing('[keeper]', '[nats, http]'), ['seal']);
  t.deepEqual(missing('[gateway]', '[nats]'), ['approval']);
  t.deepEqual(missing('[gateway]', '[nats, http]'), ['approval', 'bls']);
  t.deepEqual(missing('[receiver]', '[nats]'), ['approval', 'bls']);
  t.deepEqual(missing('all', '[nats]'), ['approval', 'seal', 'bls']);
});

test('an invalid value is reported with its location and what is expected', (t) => {
  t.is(
    fault((text) => `${text}gateway:\n  listen:\n    port: http\n`),
    '/etc/sealion.yaml:16:11: gateway.listen.port is "http": expected a port (0: any free one), a whole number from 0 to 65535.',
  );
  t.regex(
    fault((text) => `${text}limits:\n  byteBudget: 1 MiB\n`),
    /:15:15: limits\.byteBudget is "1 MiB": expected .*256 MiB; at least 67108864/,
  );
  t.regex(
    fault((text) => text.replace("'http://127.0.0.1:26657'", 'localhost:26657')),
    /:5:16: chain\.rpc\.0 is "localhost:26657": expected a URL, for example http/,
  );
});

test('an origin is read in the form in which browsers send it', (t) => {
  const origins = (list: string) => fault((text) => `${text}gateway: { corsOrigins: ${list} }\n`);
  t.is(origins("[https://app.example.com, 'http://localhost:3000']"), 'accepted');
  t.is(origins('[]'), 'accepted');
  for (const wrong of [
    'https://app.example.com/',
    'app.example.com',
    'https://*.example.com',
    'null',
    'ftp://a',
  ]) {
    t.regex(origins(`['${wrong}']`), /gateway\.corsOrigins\.0 is ".*": expected origins of web pages/, wrong);
  }
});

test('all errors are reported at once, in the order of the file', (t) => {
  const lines = fault((text) => `${text.replace('id: 7', 'id: 0')}extra: 1\nlog: { level: loud }\n`).split(
    '\n',
  );
  t.deepEqual(
    lines.map((line) => line.split(':').slice(1, 3).join(':')),
    ['2:11', '14:1', '15:15'],
  );
});

test('one or both wires can be set, and the NATS wire needs the peers plane', (t) => {
  const wires = (list: string) => (text: string) => `${text}peers: { wires: ${list} }\n`;
  const without = (text: string) => text.replace("  peers: { url: 'nats://127.0.0.1:4222' }\n", '');
  t.deepEqual(parseConfig(wires('[http]')(SMALLEST), '/etc/sealion.yaml').peers.wires, ['http']);
  const alone = parseConfig(wires('[http]')(without(SMALLEST)), '/etc/sealion.yaml');
  t.is(alone.nats.peers, undefined);
  t.regex(
    fault(without),
    /:7:3: nats\.peers is missing: expected the nats-server that connects the SPs, or leave nats out of peers\.wires\.$/,
  );
  for (const list of ['[]', '[nats, smoke]', 'nats']) {
    t.regex(fault(wires(list)), /peers\.wires.* expected a list of one or both of nats and http\.$/, list);
  }
});

test('with the level journal a node needs all roles, and an unknown role is rejected', (t) => {
  const roles = (list: string) => fault((text) => `${text}roles: ${list}\n`);
  t.regex(roles('[gateway]'), /roles is not valid: expected all of them with the level journal/);
  t.regex(roles('[gateway, smoke]'), /roles.* expected all, or a list of gateway, task, receiver, keeper/);
  t.is(roles('[gateway, task, receiver, keeper]'), 'accepted');
});

test('roles that cannot work with the SQL DB or the wires are rejected with the reason', (t) => {
  const shared = 'journal: { adapter: jetstream }\n';
  const postgres = 'records: { adapter: postgres, postgres: { url: postgresql://u@localhost/d } }\n';
  const roles = (list: string, more: string) => fault((text) => `${text}roles: ${list}\n${shared}${more}`);
  t.regex(roles('[gateway]', ''), /roles is not valid: expected all of them with SQLite/);
  t.is(roles('all', ''), 'accepted');
  t.is(roles('[gateway]', postgres), 'accepted');
  const http = `${postgres}peers: { wires: [http] }\n`;
  t.regex(roles('[receiver]', http), /roles is not valid: expected gateway as well without nats/);
  t.is(roles('[gateway, receiver]', http), 'accepted');
  t.is(roles('[receiver]', postgres), 'accepted');
});

test('values that may be secrets are not shown', (t) => {
  const secret = '5ec2e7'.repeat(11);
  for (const wrong of [
    (text: string) => text.replace('{ file: operator.key }', secret),
    (text: string) => text.replace('{ file: operator.key }', `{ hex: '${secret}' }`),
    (text: string) =>
      text.replace(
        "home: { url: 'nats://127.0.0.1:4222' }",
        `home: { url: 'nats://a', password: [${secret}] }`,
      ),
  ]) {
    const message = fault(wrong);
    t.regex(message, /keys\.operator|nats\.home\.password/);
    t.false(message.includes(secret));
  }
});

test('an address needs no quotes, and is normalised', (t) => {
  const config = parseConfig(
    SMALLEST.replace('id: 7', 'id: 7, operatorAddress: 0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a'),
    '/etc/sealion.yaml',
  );
  t.is(config.sp.operatorAddress, '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A');
});

test('text that is not YAML is rejected with its location', (t) => {
  t.regex(
    fault((text) => `${text}log: { level: info`),
    /^\/etc\/sealion\.yaml:1[45]:\d+: /,
  );
  t.regex(
    fault((text) => `${text}node: b`),
    /^\/etc\/sealion\.yaml:14:1: Map keys must be unique/,
  );
});

test('an empty file is reported with everything it lacks', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sealion-config-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'node.yaml');
  await writeFile(file, '');
  const error = await t.throwsAsync(loadConfig(file), { instanceOf: Terminal });
  for (const key of ['sp', 'node', 'dataDir', 'chain', 'nats', 'keys']) {
    t.true(error.message.includes(`${file}:1:1: ${key} is missing`));
  }
});

test('a missing file is reported with an example to start from', async (t) => {
  const error = await t.throwsAsync(loadConfig('/nowhere/node.yaml'), { instanceOf: Terminal });
  t.is(error.code, 'config-missing');
  t.regex(error.advice ?? '', /sealion\.example\.yaml/);
});
