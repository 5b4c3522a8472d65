import { randomBytes } from 'node:crypto';
import { headers } from '@nats-io/nats-core';
import test from 'ava';
import fc from 'fast-check';
import { silentLogger } from '../telemetry/logger.ts';
import { connectNats } from './connect.ts';
import { startNatsServer } from './server.ts';
import { giveBackMessage, wholeMessages } from './whole-messages.ts';

const bodyLength = fc.oneof({ weight: 20, arbitrary: fc.nat(90) }, fc.constantFrom(65_500, 131_072, 300_000));
const cutLength = fc.oneof({ weight: 20, arbitrary: fc.nat(60) }, fc.constantFrom(65_536, 131_072, 200_000));
const line = fc.constantFrom(
  'PING\r\n',
  'PONG\r\n',
  '+OK\r\n',
  "-ERR 'MSG 7'\r\n",
  'INFO {"max_payload":7}\r\n',
);
const longLine = fc.constant(`INFO {"connect_urls":["${'x'.repeat(200_000)}"]}\r\n`);
const operation = fc.oneof({ weight: 10, arbitrary: line }, longLine, {
  weight: 10,
  arbitrary: fc
    .tuple(
      fc.constantFrom('MSG a.b 1 ', 'MSG a.b 1 reply.9 ', 'HMSG a 12 4 ', 'hmsg a 1 r 0 '),
      bodyLength.map((length) => '\nMSG a 1 3\r'.repeat(length / 10 + 1).slice(0, length)),
    )
    .map(([begin, body]) => `${begin}${body.length}\r\n${body}\r\n`),
});

async function* cut(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const length of lengths) {
    yield bytes.subarray(at, at + length);
    at += length;
  }
  yield bytes.subarray(at);
}

test('bytes are passed on unchanged, however they arrive, and each operation in one piece', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 20 }),
      fc.array(cutLength, { maxLength: 60 }),
      async (operations, lengths) => {
        const expected = operations.map((text) => Buffer.from(text));
        const passed: Uint8Array[] = [];
        for await (const frame of wholeMessages(cut(Buffer.concat(expected), lengths))) {
          const isDone = passed.length % 2 === 0;
          passed.push(isDone ? Buffer.from(frame) : frame);
          if (isDone) giveBackMessage(frame);
        }
        t.true(Buffer.concat(passed).equals(Buffer.concat(expected)));
        const borders = new Set(expected.map((_, i) => Buffer.concat(expected.slice(0, i + 1)).length));
        let at = 0;
        for (const frame of passed) {
          at += frame.length;
          t.true(borders.has(at), `a frame ends at ${at}`);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('a large message takes memory of its own length', async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
  t.teardown(() => connection.close());
  const sent = Array.from({ length: 20 }, (_, i) => randomBytes(i % 3 === 0 ? 10 : 900_000 + i));
  const come = connection.subscribe('large', { max: sent.length });
  const header = headers();
  header.set('At', '1');
  for (const [i, body] of sent.entries()) connection.publish('large', body, i % 2 ? { headers: header } : {});
  let i = 0;
  for await (const { data } of come) {
    t.true(Buffer.from(data).equals(sent[i++] ?? Buffer.alloc(0)));
    t.true(data.buffer.byteLength < data.length + 70_000);
  }
  t.is(i, sent.length);
});
