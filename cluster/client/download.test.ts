import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { SealionError } from '#protocols/errors';
import { payloadFrom } from './download.ts';
import { SpClient } from './sp-client.ts';

const PAYLOAD = randomBytes(100_000);
const ADDRESS = { bucketName: 'bucket', objectName: 'object' };
const { signal } = new AbortController();

type Answer = (response: ServerResponse, from: number) => void;

/** A provider that gives these answers in turn, and records the first byte that each request asked for. */
async function provider(t: ExecutionContext, ...answers: readonly Answer[]) {
  const asked: number[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const from = Number(/^bytes=([0-9]+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    answers[Math.min(asked.push(from), answers.length) - 1]?.(response, from);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { sp: new SpClient(`http://127.0.0.1:${port}`, new Uint8Array(32).fill(1)), asked };
}

function rangeOf(status: number, total: string): Answer {
  return (response, from) => {
    const range = `bytes ${from}-${PAYLOAD.length - 1}${total}`;
    response.writeHead(status, { 'Content-Range': range }).end(PAYLOAD.subarray(from));
  };
}

/** Sends only a part of the promised bytes, and closes the connection. */
const broken: Answer = (response) => {
  response.writeHead(200, { 'Content-Length': PAYLOAD.length });
  response.write(PAYLOAD.subarray(0, 40_000), () => response.destroy());
};

async function read(sp: SpClient, from = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of payloadFrom(sp, ADDRESS, { from, total: PAYLOAD.length }, signal))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

for (const [name, answer] of [
  ['206', rangeOf(206, `/${PAYLOAD.length}`)],
  ['200 with a Content-Range', rangeOf(200, '')],
  ['200 with the whole object', (response: ServerResponse) => void response.writeHead(200).end(PAYLOAD)],
] as const) {
  test(`a download that breaks continues where it stopped: ${name}`, async (t) => {
    const { sp, asked } = await provider(t, broken, answer);
    t.true((await read(sp)).equals(PAYLOAD));
    t.is(asked.length, 2);
    t.is(asked[0], 0);
    t.true((asked[1] ?? 0) > 0 && (asked[1] ?? 0) <= 40_000);
  });

  test(`a download continues after the existing bytes: ${name}`, async (t) => {
    const { sp, asked } = await provider(t, answer);
    t.true((await read(sp, 99_000)).equals(PAYLOAD.subarray(99_000)));
    t.deepEqual(asked, [99_000]);
  });
}

test('a provider that brings nothing any more is given up', async (t) => {
  const { sp, asked } = await provider(t, (response) => response.destroy());
  const error = await t.throwsAsync<SealionError>(read(sp));
  t.is(error?.code, 'sp-unreachable');
  t.is(asked.length, 4);
});
