import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { exchange, readAnswers } from '#gateway/testing/wire';
import { fromHex } from '#protocols/greenfield/hex';
import { signRequest } from '#protocols/greenfield/request-signature';
import { peakMemory, resetPeakMemory } from '../bench/processes.ts';
import { useNetwork } from './network.ts';

/** What requests of strangers do to the processes of a provider, and to honest work at the same time. */

const MiB = 2 ** 20;
/** The default of `limits.byteBudget`. */
const BYTE_BUDGET = 256 * MiB;

const network = useNetwork(test, { segmentSize: 16 * MiB });

function portOf(url: string | undefined): number {
  return Number(new URL(url ?? '').port);
}

/** The answer to one GET with a given Host header. */
async function get(port: number, target: string, headers: Record<string, string>) {
  const lines = [`GET ${target} HTTP/1.1`, ...Object.entries(headers).map(([k, v]) => `${k}: ${v}`)];
  const text = `${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`;
  const [answer] = readAnswers(
    await exchange(port, { method: 'GET', pieces: [text], manner: 'wait' }),
    'GET',
  );
  return { status: answer?.status, body: `${answer?.body}` };
}

test('no request stops a node or the chain, and web pages cannot read from a node', async (t) => {
  const { devnet } = network();
  const [sp] = devnet.file.sps;
  const admin = portOf(sp?.admin);
  const { pid } = devnet.sp(1);
  for (const port of [admin, portOf(devnet.file.chain.rpc), portOf(sp?.endpoint)]) {
    for (const target of ['//', 'http://[', '*', '/%']) await get(port, target, { Host: 'localhost' });
  }
  t.is((await get(admin, '/api/trees', { Host: 'evil.example.com' })).status, 421);
  t.is(
    (await get(admin, '/api/jobs', { Host: 'localhost', Origin: 'https://evil.example.com' })).status,
    403,
  );
  t.is((await get(admin, '/api/jobs', { Host: 'localhost' })).status, 401);
  t.is((await get(admin, '/health', { Host: `127.0.0.1:${admin}` })).status, 200);
  t.is(devnet.sp(1).pid, pid);
});

test('a request signed for one provider is refused by another', async (t) => {
  const net = network();
  const [first, second] = net.devnet.file.sps;
  const object = await net.createObject(await net.createBucket(1), { size: 1_000 });
  await net.put(1, object);
  await net.sealed(object);
  const key = fromHex((net.devnet.file.accounts[0]?.privateKey ?? '').slice(2));
  const signedFor = (host: string, target: string) => {
    const headers = { 'X-Gnfd-Expiry-Timestamp': new Date(Date.now() + 60_000).toISOString() };
    const signable = { method: 'GET', target, host, headers: Object.entries(headers) };
    return { Host: host, ...headers, Authorization: signRequest(signable, key) };
  };
  const target = `/${object.bucketName}/${object.objectName}`;
  const port = portOf(first?.endpoint);
  const own = new URL(first?.endpoint ?? '').host;
  const other = new URL(second?.endpoint ?? '').host;
  t.is((await get(port, target, signedFor(own, target))).status, 200);
  for (const host of [other, `bucket-of-an-attacker.${other}`, 'localhost.evil.example.com']) {
    const { status, body } = await get(port, target, signedFor(host, target));
    t.is(status, 400, host);
    t.regex(body, /<Code>50009</);
  }
  t.true((await net.get(1, object)).equals(object.payload));
});

test('500 readers of one object are served within the byte budget, and a small object before most of them', async (t) => {
  const net = network();
  const bucketName = await net.createBucket(1, 'PUBLIC_READ');
  const stored = async (size: number) => {
    const object = await net.createObject(bucketName, { size });
    await net.put(1, object);
    await net.sealed(object);
    return object;
  };
  const [big, small] = await Promise.all([stored(2 * MiB), stored(100)]);
  const { host, port } = new URL(net.devnet.file.sps[0]?.endpoint ?? '');
  const ended: number[] = [];
  const read = async ({ objectName }: typeof big) => {
    const path = `/${bucketName}/${objectName}`;
    const sent = request({ host: '127.0.0.1', port, path, headers: { Host: host }, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    ended.push(bytes);
  };
  const { pid = 0 } = net.devnet.sp(1);
  await resetPeakMemory(pid).catch(() => {});
  const before = await peakMemory(pid);
  const readers = Array.from({ length: 500 }, () => read(big));
  await read(small);
  t.true(ended.length < 250, `${ended.length} of 500 ended before the small one`);
  await Promise.all(readers);
  t.is(ended.filter((bytes) => bytes === big.payload.length).length, 500);
  const growth = (await peakMemory(pid)) - before;
  t.false(growth > BYTE_BUDGET, `${growth} bytes`);
  t.notRegex(await net.log(1), /connection to NATS lost|messages may be dropped/);
});

test('a maliciously long header does not delay a concurrent upload', async (t) => {
  const net = network();
  const endpoint = new URL(net.devnet.file.sps[0]?.endpoint ?? '');
  const object = await net.createObject(await net.createBucket(1), { size: 1_000 });
  const attack = async () => {
    const path = '/greenfield/receiver/v1/replicate-piece';
    const task = Buffer.from(`"${'\\"'.repeat(15_000)}`).toString('hex');
    const headers = { Host: endpoint.host, 'X-Gnfd-Receive-Msg': task };
    const port = Number(endpoint.port);
    const sent = request({ host: '127.0.0.1', port, method: 'PUT', path, headers, agent: false }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return text(response);
  };
  const attacks = Promise.all(Array.from({ length: 200 }, attack));
  await net.put(1, object);
  for (const answer of await attacks) t.regex(answer, /<Code>50005</);
  await net.sealed(object);
});
