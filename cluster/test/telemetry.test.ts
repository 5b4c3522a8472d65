import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { formatJobId } from '#protocols/job/identity';
import { segmentKey } from '#protocols/payload/keys';
import { findPostgres } from '#runtime/records/postgres-server';
import { text } from '../client/sp-answers.ts';
import { requestSigned } from '../client/sp-request.ts';
import { type Network, useNetwork } from './network.ts';
import { leaksIn, logsOf, secretsOf } from './secrets.ts';
import { until } from './until.ts';

interface SpanRecord {
  readonly node: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

/** A collector for traces: OTLP as JSON over HTTP. */
const spans: SpanRecord[] = [];
let received = '';
const collector = createServer(async (request: IncomingMessage, response) => {
  const body = await text(request);
  received += body;
  for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans) {
    const node = resource.attributes.find(({ key }: { key: string }) => key === 'service.instance.id').value;
    for (const scope of scopeSpans)
      for (const span of scope.spans) spans.push({ ...span, node: node.stringValue });
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
}).listen(0, '127.0.0.1');
await once(collector, 'listening');
const hasPostgres = (await findPostgres()) !== undefined;
test.after.always(() => void collector.close());

const { port } = collector.address() as AddressInfo;
const telemetry = { traces: { endpoint: `http://127.0.0.1:${port}/v1/traces`, sampling: 0 } };
/** Traces of the clients of these tests. */
const TRACES = {
  bundles: '4bf92f3577b34da6a3ce929d0e0e4736',
  pieces: '5bf92f3577b34da6a3ce929d0e0e4737',
  download: '6bf92f3577b34da6a3ce929d0e0e4738',
  secrets: '7bf92f3577b34da6a3ce929d0e0e4739',
} as const;
const HTTP_ONLY = 3;
/** Room for columns of this size is asked for ahead; bytes. */
const INLINE = 64 * 1_024;
const network = useNetwork(test, {
  // its password is one of the secrets
  postgres: hasPostgres,
  nodeOf: (spId) => ({
    limits: { diskReserve: '256 MiB' },
    telemetry,
    ...(spId === HTTP_ONLY && { peers: { wires: ['http'] } }),
  }),
});

/** Uploads an object of this size to SP 1 in a trace of the client. @returns the id of the job, once it is sealed */
async function upload(net: Network, size: number, traceId: string): Promise<string> {
  const object = await net.createObject(await net.createBucket(1), { size });
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(size),
    'x-gnfd-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
  };
  const body = Readable.from([object.payload]);
  const { endpoint } = net.client(1);
  const call = { method: 'PUT', address: object, headers, body } as const;
  await text(await requestSigned(endpoint, net.privateKey, call, undefined));
  await net.sealed(object);
  return formatJobId(object.job);
}

/** The same. @returns the spans, all sent */
async function traced(net: Network, size: number, traceId: string): Promise<readonly SpanRecord[]> {
  await upload(net, size, traceId);
  return until('all spans have been sent', async () => {
    const own = spans.filter((span) => span.traceId === traceId);
    const has = (name: string, count = 1) => own.filter((span) => span.name === name).length >= count;
    // an offer that is late is sent again, so that one SP may have several
    const receivers = own.filter(({ name }) => name === 'receive column').map(({ node }) => node);
    const columns = has('send column', 6) && new Set(receivers).size === 5;
    const asks = has('ask for approvals') && (size <= INLINE || has('answer ask', 5));
    const all = has('SEAL_OBJECT_DOING') && columns && asks;
    return all && own.some(({ name }) => name.endsWith('replicatePiece')) ? own : undefined;
  });
}

for (const [what, size, traceId] of [
  ['in bundles', 10_000, TRACES.bundles],
  ['piece by piece', 2_000_000, TRACES.pieces],
] as const) {
  test(`one trace leads from the request of the client over both wires to the seal: columns ${what}`, async (t) => {
    const own = await traced(network(), size, traceId);
    const put = own.find(({ name }) => name === 'PUT putObject');
    t.is(put?.parentSpanId, '00f067aa0ba902b7', 'the client is its parent');
    const seal = own.find(({ name }) => name === 'SEAL_OBJECT_DOING');
    t.is(seal?.parentSpanId, put?.spanId);
    const columns = own.filter(({ name }) => name === 'send column');
    t.true(columns.every(({ parentSpanId }) => parentSpanId === put?.spanId));
    const atSecondaries = own.filter(({ node }) => node !== 'sp-1@a');
    t.is(new Set(atSecondaries.map(({ node }) => node)).size, 6);
    const asks = own.filter(({ name }) => name === 'ask for approvals');
    t.true(asks.every(({ parentSpanId }) => parentSpanId === put?.spanId));
    for (const { parentSpanId } of atSecondaries) {
      t.true([...columns, ...asks].some(({ spanId }) => spanId === parentSpanId));
    }
  });
}

test('the trace of a download leads over both wires to the pieces from which a lost segment is restored', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(1), { size: 100_000 });
  await net.put(1, object);
  await net.sealed(object);
  await net.pieces(1).lose(segmentKey(object.job, 0));
  // the other four are needed, however slow one of them is
  for (const spId of [6, 7]) {
    await net.pieces(spId).loseAll((key) => key.startsWith(`${object.job.objectId}+`));
  }
  const traceId = TRACES.download;
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  const { endpoint } = net.client(1);
  const call = { method: 'GET', address: object, headers } as const;
  await buffer(await requestSigned(endpoint, net.privateKey, call, undefined));
  const own = await until('all spans have been sent', async () => {
    const found = spans.filter((span) => span.traceId === traceId);
    const named = (name: string) => found.filter((span) => span.name === name);
    const all = named('restore segment').length > 0 && named('serve piece').length >= 3;
    return all && named('GET recoverPiece').length > 0 && found;
  });
  const get = own.find(({ name }) => name === 'GET getObject');
  const restore = own.find(({ name }) => name === 'restore segment');
  t.is(restore?.parentSpanId, get?.spanId);
  const fetches = own.filter(({ name }) => name === 'fetch piece');
  t.true(fetches.length >= 4);
  t.true(fetches.every(({ parentSpanId }) => parentSpanId === restore?.spanId));
  for (const { name, node, parentSpanId } of own) {
    if (name !== 'serve piece' && name !== 'GET recoverPiece') continue;
    t.not(node, 'sp-1@a');
    t.true(fetches.some(({ spanId }) => spanId === parentSpanId));
  }
});

test('an upload without a traceparent is not traced when nothing is sampled', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(1), { size: 10 });
  await net.put(1, object);
  await net.sealed(object);
  t.deepEqual(
    spans.filter(({ traceId }) => !Object.values<string>(TRACES).includes(traceId)),
    [],
  );
});

test('a node shows to Prometheus what it does', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(1), { size: 100_000 });
  await net.put(1, object);
  await net.sealed(object);
  const metrics = await until('the node has noted the seal', async () => {
    const text = await net.metrics(1);
    return /^sealion_jobs_ended_total\{outcome="sealed"\} [1-9]/m.test(text) && text;
  });
  for (const line of [
    /^sealion_uploads_total [1-9]/m,
    /^sealion_client_bytes_total\{direction="in"\} [1-9]/m,
    /^sealion_requests_total\{operation="putObject",status="200"\} [1-9]/m,
    /^sealion_job_state_seconds_count\{state="REPLICATE_OBJECT_DOING"\} [1-9]/m,
    /^sealion_job_seal_seconds_count [1-9]/m,
    /^sealion_columns_total\{sp="[2-7]",wire="nats",outcome="stored"\} [1-9]/m,
    /^sealion_columns_total\{sp="3",wire="http",outcome="stored"\} [1-9]/m,
    /^sealion_chain_height [1-9]/m,
    /^sealion_ready 1$/m,
    /^sealion_fenced 0$/m,
    /^sealion_bounded_limit_items\{what="uploads"\} [1-9]/m,
    /^sealion_bounded_limit_items\{what="gateway_connections"\} [1-9]/m,
    /^sealion_bounded_limit_items\{what="leases"\} [1-9]/m,
    /^sealion_bounded_limit_items\{what="journal_writes"\} [1-9]/m,
    /^sealion_bounded_limit_items\{what="waiting_repairs"\} [1-9]/m,
    /^sealion_bounded_limit_bytes\{what="credit"\} [1-9]/m,
    /^sealion_cache_items\{cache="chain_objects"\} [1-9]/m,
    /^sealion_cache_limit_bytes\{cache="shard_memory"\} [1-9]/m,
    /^sealion_fee_balance_bnb\{key="operator"\} [1-9]/m,
    /^sealion_fee_balance_bnb\{key="seal"\} [1-9]/m,
    /^sealion_actors\{kind="objects"\} 1$/m,
    /^nodejs_eventloop_lag_p99_seconds /m,
  ]) {
    t.regex(metrics, line);
  }
  t.regex(
    await net.metrics(HTTP_ONLY),
    /^sealion_received_columns_total\{sp="1",wire="http",outcome="stored"\} [1-9]/m,
  );
  for (const name of ['sealion_queue_jobs', 'sealion_chain_lag_seconds', 'sealion_free_bytes']) {
    t.regex(metrics, new RegExp(`^${name} [0-9]`, 'm'));
  }
});

/** Every page and address of an admin server that is read, and some that do not exist or go wrong. */
async function shownBy(net: Network, id: string): Promise<Readonly<Record<string, string>>> {
  const { admin = '' } = net.devnet.file.sps[0] ?? {};
  const token = await readFile(net.devnet.file.adminTokens?.act ?? '', 'utf8');
  const described = await (await fetch(`${admin}/api/openapi.json`, bearer(token))).json();
  const { paths } = described as { paths: Record<string, { readonly get?: object }> };
  const api = Object.keys(paths).filter((path) => paths[path]?.get);
  const pages = [
    '/',
    '/tree',
    '/peers',
    '/search?q=4',
    '/audit',
    `/objects/${id}`,
    '/login',
    '/health',
    '/ready',
  ];
  const wrong = ['/nowhere', '/objects/0.0', '/api/jobs/0.0', '/api/jobs?limit=x', '/search?q=%00'];
  const all = [...api.map((path) => path.replace('{job}', id)), ...pages, ...wrong, '/metrics'];
  const texts = all.map(async (path) => {
    const answer = await fetch(`${admin}${path}`, bearer(token, { accept: 'text/html' }));
    return [path, `${JSON.stringify([...answer.headers])}\n${await answer.text()}`] as const;
  });
  const refused = await fetch(`${admin}/api/nodes`, bearer(`${token.trim()}x`));
  return { ...Object.fromEntries(await Promise.all(texts)), 'a wrong token': await refused.text() };
}

function bearer(token: string, headers: Record<string, string> = {}) {
  return { headers: { ...headers, authorization: `Bearer ${token.trim()}` } };
}

test.serial(
  'no secret is in a page, metric, trace, log or error, also while all it depends on is away',
  async (t) => {
    const net = network();
    const secrets = await secretsOf(net);
    t.true(secrets.length > 100);
    const id = await upload(net, 100_000, TRACES.secrets);
    t.deepEqual(leaksIn(await shownBy(net, id), secrets), []);

    const { postgres, nats, chain } = net.devnet;
    const shown = async (path: string) => (await fetch(`${net.devnet.file.sps[0]?.admin}${path}`)).text();
    await Promise.all([postgres?.stop(), chain.stop(), nats.stop()]);
    try {
      await until('it is noticed', async () => /NATS does not answer/.test(await shown('/health')));
      t.deepEqual(leaksIn(await shownBy(net, id), secrets), []);
    } finally {
      await Promise.all([nats.start(), postgres?.start(), chain.start()]);
    }
    await until('the node is ready again', async () => {
      const { admin = '' } = net.devnet.file.sps[0] ?? {};
      return (await fetch(`${admin}/ready`)).status === 200;
    });
    await until('spans have been sent', async () => received.includes(TRACES.secrets));
    const metrics = await Promise.all(net.devnet.file.sps.map(({ id }) => net.metrics(id)));
    const texts = { traces: received, metrics: metrics.join('\n'), ...(await logsOf(net)) };
    t.deepEqual(leaksIn(texts, secrets), []);
    // that it can be found: each node was given its configuration in a file
    const config = await readFile(join(dirname(net.devnet.path), 'state/sp1/config.yaml'), 'utf8');
    t.deepEqual(leaksIn({ config }, secrets), ['config']);
  },
);

test('dashboards and alert rules ask for nothing but what a node exports', async (t) => {
  const folder = fileURLToPath(new URL('../../../cluster/deploy/', import.meta.url));
  const exported = await network().metrics(1);
  const names = new Set([...exported.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
  const labels = new Map<string, Set<string>>();
  for (const [, name = '', list = ''] of exported.matchAll(/^(\w+)\{([^}]*)\}/gm)) {
    for (const [, label = ''] of list.matchAll(/(\w+)="/g)) {
      labels.set(name, (labels.get(name) ?? new Set()).add(label));
    }
  }
  const files = (await readdir(folder)).filter((name) => /^grafana-.*\.json$|^alerts\.yaml$/.test(name));
  t.is(files.length, 4);
  for (const file of files) {
    const content = await readFile(join(folder, file), 'utf8');
    for (const [, codes = ''] of content.matchAll(/code=~?\\?"([a-z0-9|-]+)/g)) {
      for (const code of codes.split('|')) t.true(exported.includes(`code="${code}"`), `${file}: ${code}`);
    }
    const asked = content.matchAll(/\b((?:sealion|nodejs|process)_[a-z0-9_]+)(?:\{([^}]*)\})?/g);
    for (const [, name = '', filter = ''] of asked) {
      t.true(names.has(name) || names.has(name.replace(/_(bucket|sum|count)$/, '')), `${file}: ${name}`);
      for (const [, label = ''] of filter.matchAll(/(\w+)(?:=|!=|=~)\\?"/g)) {
        const known = labels.get(name);
        t.true(label === 'job' || !known || known.has(label), `${file}: ${name} has no ${label}`);
      }
    }
  }
});
