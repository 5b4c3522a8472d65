import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { Cancelled } from '../../../protocols/errors.ts';
import { type HttpCall, HttpLinks } from './links.ts';

const NO_HURRY = { timeoutMs: 60_000, signals: [] };

async function start(
  t: ExecutionContext,
  listener: RequestListener,
): Promise<{ links: HttpLinks; call: HttpCall }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const links = new HttpLinks();
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

test('connections are kept, and one that the other end has closed meanwhile is made anew', async (t) => {
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

test('an answer that does not end is cut off', async (t) => {
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

test('what is closed calls nobody', async (t) => {
  const { links, call } = await start(t, (_, response) => void response.end());
  links.close();
  await t.throwsAsync(links.call(call, NO_HURRY), { instanceOf: Cancelled });
});
