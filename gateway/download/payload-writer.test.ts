import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { type Passage, writeDirectly, writePayload } from './payload-writer.ts';

const PORTION = 256 * 1024;

/** Serves one response, whose body is made with Node's response. */
async function serve(t: ExecutionContext, respond: (outgoing: ServerResponse) => Response) {
  const written: Promise<boolean>[] = [];
  const server = createServer((_, outgoing) => written.push(writePayload(respond(outgoing), outgoing)));
  server.listen(0, '127.0.0.1');
  t.teardown(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sent = request({ host: '127.0.0.1', port, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { response, written: () => written[0] };
}

test('more is asked for only when all before has left, so that its memory may be written again', async (t) => {
  const payload = Array.from({ length: 30 }, () => randomBytes(PORTION));
  const memory = new Uint8Array(PORTION);
  const passage: Passage = { isDirect: false };
  const { response, written } = await serve(t, () => {
    let at = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (at > 0) t.true(passage.isDirect);
          const next = payload[at++];
          if (!next) return controller.close();
          memory.set(next);
          controller.enqueue(memory);
        },
      },
      { highWaterMark: 0 },
    );
    writeDirectly(body, passage);
    return new Response(body, { status: 206, headers: { 'Content-Length': String(30 * PORTION) } });
  });
  t.is(response.statusCode, 206);
  t.is(response.headers['content-length'], String(30 * PORTION));
  t.true((await buffer(response)).equals(Buffer.concat(payload)));
  t.true(await written());
});

test('a client that leaves ends the body, and its memory may not be written again', async (t) => {
  const passage: Passage = { isDirect: false };
  let cancelled = () => {};
  const ended = new Promise<void>((resolve) => {
    cancelled = resolve;
  });
  const { response, written } = await serve(t, () => {
    const body = new ReadableStream<Uint8Array>(
      { pull: (controller) => controller.enqueue(new Uint8Array(PORTION)), cancel: () => cancelled() },
      { highWaterMark: 0 },
    );
    writeDirectly(body, passage);
    return new Response(body);
  });
  response.destroy();
  await ended;
  t.true(await written());
  t.false(passage.isDirect);
});

test('another response is left to others', async (t) => {
  const { response, written } = await serve(t, (outgoing) => {
    setImmediate(() => outgoing.end('theirs'));
    return new Response('ours');
  });
  t.is((await buffer(response)).toString(), 'theirs');
  t.false(await written());
});
