import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { parse, parseAllDocuments } from 'yaml';
import { withProgram } from '#runtime/testing/programs';
import { parseConfig } from '../config/load.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDER = join(ROOT, 'cluster/deploy/');
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
const run = promisify(execFile);

test('every YAML and JSON file is valid', (t) => {
  for (const name of readdirSync(FOLDER)) {
    if (name.endsWith('.json')) t.notThrows(() => JSON.parse(read(name)), name);
    if (!name.endsWith('.yaml')) continue;
    for (const document of parseAllDocuments(read(name))) {
      t.deepEqual([...document.errors, ...document.warnings].map(String), [], name);
    }
  }
});

for (const name of ['Dockerfile', 'Dockerfile.devnet']) {
  test(`${name} copies what exists, starts what is compiled, and does not run as root`, (t) => {
    const text = read(name).replaceAll('\\\n', ' ');
    for (const [, from = ''] of text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const path of from.split(' ')) t.true(existsSync(join(ROOT, path)), path);
    }
    for (const [program] of text.matchAll(/(?:dist|cluster\/deploy)\/[\w/.-]+\.m?js/g)) {
      t.true(existsSync(join(ROOT, program)), program);
    }
    t.regex(text, /^USER 1000:1000$/m);
  });
}

test('the container file exposes the ports of the default configuration', (t) => {
  const { gateway, admin } = parseConfig(read('sealion.example.yaml'), join(FOLDER, 'sealion.example.yaml'));
  t.true(read('Dockerfile').includes(`EXPOSE ${gateway.listen.port} ${admin.listen.port}`));
});

test('the compose file mounts and builds from what exists', (t) => {
  const { services, volumes } = parse(read('compose.yaml'));
  for (const { build, volumes: mounts = [] } of Object.values<{
    build?: { dockerfile: string };
    volumes?: string[];
  }>(services)) {
    if (build) t.true(existsSync(join(ROOT, build.dockerfile)));
    for (const mount of mounts) {
      const [source = ''] = mount.split(':');
      t.true(source.startsWith('./') ? existsSync(join(FOLDER, source)) : source in volumes, mount);
    }
  }
});

test('the configuration on Kubernetes is one that a node accepts, with ports, probes and time to drain', (t) => {
  const documents = parseAllDocuments(read('kubernetes.yaml')).map((document) => document.toJS());
  const of = (kind: string, name: string) =>
    documents.find((each) => each.kind === kind && each.metadata.name === name);
  const config = parseConfig(of('ConfigMap', 'sealion').data['sealion.yaml'], '/etc/sealion/sealion.yaml');
  const { spec } = of('StatefulSet', 'sealion').spec.template;
  const [container] = spec.containers;
  const ports = Object.fromEntries(
    container.ports.map((each: { name: string; containerPort: number }) => [each.name, each.containerPort]),
  );
  t.deepEqual(ports, { gateway: config.gateway.listen.port, admin: config.admin.listen.port });
  t.true(spec.terminationGracePeriodSeconds > config.gateway.drainSeconds);
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
    const [, script, path] = container[probe].exec.command;
    t.true(existsSync(join(ROOT, script)));
    t.is(path, probe === 'readinessProbe' ? '/ready' : '/health');
  }
  t.is(of('StatefulSet', 'sealion').spec.serviceName, of('Service', 'sealion-nodes').metadata.name);
  t.is(config.journal.adapter, 'jetstream');
  t.is(config.records.adapter, 'postgres');
  const names = new Set(spec.volumes.map(({ name }: { name: string }) => name));
  for (const { name } of [...container.volumeMounts, ...spec.initContainers[0].volumeMounts]) {
    t.true(names.has(name) || name === 'data', name);
  }
});

test('a probe succeeds exactly when the admin server says yes', async (t) => {
  const server = createServer(({ url }, response) => response.writeHead(url === '/health' ? 200 : 503).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const env = { ...process.env, SEALION_ADMIN: `http://127.0.0.1:${port}` };
  const probe = (path: string) => run(process.execPath, [join(FOLDER, 'probe.mjs'), path], { env });
  await t.notThrowsAsync(probe('/health'));
  await t.throwsAsync(probe('/ready'), { code: 1 });
});

const ANALYZER = '/usr/bin/systemd-analyze';
const analyzed = existsSync(ANALYZER);
(analyzed ? test : test.skip)(
  analyzed
    ? 'systemd accepts the unit'
    : 'systemd accepts the unit (skipped: there is no systemd-analyze here)',
  async (t) => {
    const { stderr } = await run(ANALYZER, ['verify', '--man=no', join(FOLDER, 'sealion.service')]).catch(
      (error: { stderr: string }) => error,
    );
    // The program itself need not be installed here.
    const faults = stderr.split('\n').filter((line) => /sealion\.service:/.test(line));
    t.deepEqual(
      faults.filter((line) => !/\/usr\/bin\/node is not executable/.test(line)),
      [],
    );
  },
);

withProgram(test, 'promtool')(
  'Prometheus accepts its configurations, the alert rules say what they should, and every panel asks a valid question',
  async (t, promtool) => {
    const check = (...args: string[]) => run(promtool, args, { cwd: FOLDER });
    for (const name of ['prometheus.yaml', 'prometheus.devnet.yaml']) {
      await t.notThrowsAsync(check('check', 'config', name), name);
    }
    await t.notThrowsAsync(check('test', 'rules', 'alerts.test.yaml'));
    const panels = readdirSync(FOLDER)
      .filter((name) => /^grafana-.*\.json$/.test(name))
      .flatMap((name) => JSON.parse(read(name)).panels as { targets: { expr: string }[] }[]);
    const rules = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const folder = await mkdtemp(join(tmpdir(), 'sealion-panels-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const file = join(folder, 'panels.json');
    const asRules = rules.map((expr, i) => ({ record: `panel_${i}`, expr }));
    await writeFile(file, JSON.stringify({ groups: [{ name: 'panels', rules: asRules }] }));
    await t.notThrowsAsync(check('check', 'rules', file));
  },
);

test('the runbook and the alert rules name codes, headings and settings that exist', (t) => {
  const runbook = read('runbook.md');
  const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, text = '']) =>
    text.toLowerCase().replaceAll(' ', '-'),
  );
  t.is(headings.length, 11);
  const codes = [...readFileSync(join(ROOT, 'protocols/ERRORS.md'), 'utf8').matchAll(/^\| `([^`]+)` \|/gm)];
  const known = new Set(codes.map(([, code]) => code));
  const exists = (code: string) => known.has(code) || /^chain-[a-z]+-\d+$/.test(code);
  const rules = parse(read('alerts.yaml')).groups[0].rules as {
    expr: string;
    annotations: { runbook: string };
  }[];
  for (const { expr, annotations } of rules) {
    t.true(headings.includes(annotations.runbook.replace('runbook.md#', '')), annotations.runbook);
    for (const [, list = ''] of expr.matchAll(/code=~?"([^"]+)"/g))
      t.true(list.split('|').every(exists), list);
  }
  for (const [, code = ''] of runbook.matchAll(/`([a-z]+(?:-[a-z0-9]+)+)`/g)) {
    t.true(exists(code) || ['power-safe'].includes(code), code);
  }
  const reference = read('configuration.md');
  for (const [, setting = ''] of runbook.matchAll(/`((?:timing|limits|gateway|chain|journal)\.[\w.]+)/g)) {
    t.true(reference.includes(`\`${setting}`), setting);
  }
});
