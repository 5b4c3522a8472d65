import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { Cancelled, Retryable } from '#protocols/errors';
import { Turns } from '#runtime/load/turns';
import { ClientPace } from './client-pace.ts';
import { payloadResponse } from './payload-response.ts';

const patient = (idleTimeoutMs = 60_000) => ({
  pace: new ClientPace({ idleTimeoutMs, minBytesPerSecond: 1 }),
  turns: new Turns({ costPerTurn: 1 }),
  outgoing: undefined,
  onChunk: () => {},
});

async function* chunks(count: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let i = 0; i < count; i++) yield new Uint8Array(3);
}

test('all bytes are sent and counted, and completion is reported', async (t) => {
  let counted = 0;
  const onChunk = (bytes: number) => {
    counted += bytes;
  };
  const { body, ended } = await payloadResponse(chunks(5), { ...patient(), onChunk });
  t.is((await new Response(body).arrayBuffer()).byteLength, 15);
  t.is(counted, 15);
  t.is(await ended, undefined);
});

test('large portions wait for their turn, small ones do not', async (t) => {
  const turns = new Turns({ costPerTurn: 1 });
  const passed: string[] = [];
  const send = async (name: string, size: number) => {
    async function* payload(): AsyncGenerator<Uint8Array, void, undefined> {
      yield new Uint8Array(size);
    }
    const { body } = await payloadResponse(payload(), { ...patient(), turns });
    const reader = body.getReader();
    await reader.read();
    passed.push(name);
    return reader;
  };
  const readers = await Promise.all([
    send('a', 65_536),
    send('b', 65_536),
    send('c', 65_536),
    send('small', 100),
  ]);
  t.true(passed.indexOf('small') < passed.indexOf('b'), passed.join());
  await Promise.all(readers.map((reader) => reader.cancel()));
});

test('a chunk is read only on demand', async (t) => {
  let read = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks(5)) {
      read += 1;
      yield chunk;
    }
  }
  const { body } = await payloadResponse(counted(), patient());
  t.is(read, 1);
  const reader = body.getReader();
  await reader.read();
  t.is(read, 1);
  await reader.read();
  t.is(read, 2);
  await reader.cancel();
});

test('a failure of the first chunk is thrown, one of a later chunk aborts the body', async (t) => {
  async function* failing(after: number): AsyncGenerator<Uint8Array, void, undefined> {
    yield* chunks(after);
    throw new Retryable({ code: 'piece-corrupt', message: 'm' });
  }
  await t.throwsAsync(payloadResponse(failing(0), patient()), { code: 'piece-corrupt' });
  const { body, ended } = await payloadResponse(failing(2), patient());
  await t.throwsAsync(new Response(body).arrayBuffer());
  t.is((await ended)?.code, 'piece-corrupt');
});

test('a reader that cancels ends the source', async (t) => {
  const source = chunks(5);
  const { body, ended } = await payloadResponse(source, patient());
  await body.cancel();
  t.true((await ended) instanceof Cancelled);
  t.true((await source.next()).done);
});

test('a slow reader is served, a stalled one is cut off', async (t) => {
  const { body, ended } = await payloadResponse(chunks(6), patient(1000));
  const reader = body.getReader();
  for (let i = 0; i < 5; i++) {
    t.false((await reader.read()).done);
    await sleep(250);
  }
  t.is((await ended)?.code, 'client-too-slow');
  await t.throwsAsync(reader.read());
});
