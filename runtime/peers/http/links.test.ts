import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Cancelled, Retryable } from '#protocols/errors';
import { type HttpCall, HttpLinks } from './links.ts';

const NO_HURRY = { timeoutMs: 60_000, signals: [] };

async function start(
  t: ExecutionContext,
  listener: RequestListener,
): Promise<{ links: HttpLinks; call: HttpCall }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const links = new HttpLinks({ allowPrivateEndpoints: true });
  t.teardown(async () => {
    links.close();
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  });
  const endpoint = `http://sp9.localhost:${(server.address() as AddressInfo).port}/`;
  return { links, call: { method: 'GET', endpoint, path: '/status' } };
}

test('connections are reused, and replaced when the other end has closed them', async (t) => {
  const sockets = new Set<Socket>();
  let asked = 0;
  const { links, call } = await start(t, (request, response) => {
    asked += 1;
    sockets.add(request.socket);
    if (asked === 3) request.socket.destroy();
    else response.end(`${request.url}`);
  });
  for (let i = 0; i < 3; i += 1) t.like(await links.call(call, NO_HURRY), { status: 200, body: '/status' });
  t.is(asked, 4);
  t.is(sockets.size, 2);
});

test('an endless answer is cut off', async (t) => {
  const { links, call } = await start(t, (_, response) => {
    const more = () => {
      while (response.write('x'.repeat(10_000)));
    };
    response.on('drain', more);
    more();
  });
  const { body } = await links.call(call, NO_HURRY);
  t.true(body.length >= 65_536 && body.length < 1_000_000);
});

test('a closed client makes no requests', async (t) => {
  const { links, call } = await start(t, (_, response) => void response.end());
  links.close();
  await t.throwsAsync(links.call(call, NO_HURRY), { instanceOf: Cancelled });
});

test('redirects are not followed', async (t) => {
  let asked = 0;
  const { links, call } = await start(t, (_, response) => {
    asked += 1;
    response.writeHead(302, { location: '/status' }).end();
  });
  t.like(await links.call(call, NO_HURRY), { status: 302 });
  t.is(asked, 1);
});

test('endpoints on chain that lead to this machine or a private network are refused', async (t) => {
  let connections = 0;
  const { call } = await start(t, (_, response) => void response.end());
  const server = createTcpServer(() => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  const links = new HttpLinks({ allowPrivateEndpoints: false });
  t.teardown(() => {
    links.close();
    server.close();
  });
  const hosts = [
    ...[
      '127.0.0.1',
      '127.1',
      '0x7f.1',
      '2130706433',
      '017700000001',
      '0',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
    ],
    ...[
      'localhost',
      'sp1.localhost',
      '10.0.0.1',
      '192.168.1.1',
      '172.16.0.1',
      '169.254.169.254',
      '100.64.0.1',
    ],
    ...[
      '[fd00:ec2::254]',
      '[fe80::1]',
      '[64:ff9b::7f00:1]',
      '[2002:7f00:1::]',
      '224.0.0.1',
      '255.255.255.255',
    ],
  ];
  for (const host of hosts) {
    const error = { instanceOf: Retryable, code: 'private-endpoint' };
    await t.throwsAsync(links.call({ ...call, endpoint: `http://${host}:${port}` }, NO_HURRY), error, host);
  }
  t.is(connections, 0);
});

test('an endpoint is an http or https URL without credentials', async (t) => {
  const { links, call } = await start(t, (_, response) => void response.end());
  const { host } = new URL(call.endpoint);
  for (const endpoint of [
    `http://user:pw@${host}`,
    `http://user@${host}`,
    'file:///etc/passwd',
    'gopher://a',
    'x',
  ]) {
    await t.throwsAsync(links.call({ ...call, endpoint }, NO_HURRY), { code: 'peer-unreachable' }, endpoint);
  }
});
