import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import { Cancelled, Terminal } from '#protocols/errors';
import { gate, until } from '#runtime/actors/testing';
import { UploadBody } from './body.ts';

const PATIENT = { idleTimeoutMs: 60_000, minBytesPerSecond: 1, rateWindowMs: 60_000 };

async function* chunks(sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield new Uint8Array(size);
}

function body(source: AsyncIterable<Uint8Array>, length: number, limits = PATIENT, signal?: AbortSignal) {
  return new UploadBody(source, { length, limits, signal: signal ?? new AbortController().signal });
}

async function read(source: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of source) bytes += chunk.length;
  return bytes;
}

test('a body of the right size passes unchanged, however it is chunked', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(5)), async (sizes) => {
      const size = sizes.reduce((sum, n) => sum + n, 0);
      const upload = body(chunks(sizes), size);
      t.is(await read(upload), size);
      t.is(upload.received, size);
      t.is(upload.failure, undefined);
    }),
  );
});

test('a body of any other size fails before its last expected byte is passed on', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(5)), fc.nat(20), async (sizes, length) => {
      fc.pre(length !== sizes.reduce((sum, n) => sum + n, 0));
      const upload = body(chunks(sizes), length);
      let bytes = 0;
      const error = await t.throwsAsync(
        async () => {
          for await (const chunk of upload) bytes += chunk.length;
        },
        { instanceOf: Terminal },
      );
      t.is(error?.gatewayCode, 110008);
      t.is(upload.failure, error);
      t.true(length === 0 || bytes < length);
    }),
  );
});

test('a body that is too long stops early', async (t) => {
  let asked = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      asked += 1;
      yield new Uint8Array(10);
    }
  }
  await t.throwsAsync(read(body(endless(), 25)), { instanceOf: Terminal });
  t.is(asked, 3);
});

test('a silent client is cut off', async (t) => {
  async function* silent(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1);
    await new Promise(() => {});
  }
  const upload = body(silent(), 2, { ...PATIENT, idleTimeoutMs: 20 });
  const error = await t.throwsAsync(read(upload), { instanceOf: Cancelled, code: 'client-too-slow' });
  t.is(error?.gatewayCode, 110005);
  t.is(upload.received, 1);
});

test('a trickling client is cut off though it is never silent', async (t) => {
  async function* trickle(): AsyncGenerator<Uint8Array> {
    for (;;) {
      await sleep(1);
      yield new Uint8Array(1);
    }
  }
  const limits = { idleTimeoutMs: 60_000, minBytesPerSecond: 1_000_000, rateWindowMs: 20 };
  await t.throwsAsync(read(body(trickle(), 1e9, limits)), { instanceOf: Cancelled, code: 'client-too-slow' });
});

test('a slow reader does not count as a slow client', async (t) => {
  const limits = { idleTimeoutMs: 60_000, minBytesPerSecond: 1_000_000, rateWindowMs: 500 };
  let bytes = 0;
  for await (const chunk of body(chunks([1, 1, 1, 1]), 4, limits)) {
    bytes += chunk.length;
    await sleep(200);
  }
  t.is(bytes, 4);
});

test('the source is released however the iteration ends', async (t) => {
  let open = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    open += 1;
    try {
      yield* chunks([1, 1, 1]);
    } finally {
      open -= 1;
    }
  }
  t.is(await read(body(source(), 3)), 3);
  await t.throwsAsync(read(body(source(), 2)), { instanceOf: Terminal });
  for await (const _ of body(source(), 3)) break;
  await sleep(0);
  t.is(open, 0);
});

test('a client that closes the connection, before or during the body, is Cancelled', async (t) => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1);
    throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
  }
  await t.throwsAsync(read(body(broken(), 2)), { instanceOf: Cancelled, code: 'client-gone' });
  await t.throwsAsync(read(body(chunks([1]), 1, PATIENT, AbortSignal.abort())), { instanceOf: Cancelled });
});

test('a client counts as silent only while a byte is waited for', async (t) => {
  const more = gate();
  async function* source(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(1);
    yield new Uint8Array(0);
    await more.opened;
    yield new Uint8Array(1);
  }
  const upload = body(source(), 2);
  t.is(upload.silentMs(), 0);
  const bytes = upload[Symbol.asyncIterator]();
  await bytes.next();
  t.is(upload.silentMs(), 0, 'the reader takes its time');
  const last = bytes.next();
  await until(() => upload.silentMs() > 20);
  more.open();
  await last;
  t.is(upload.silentMs(), 0);
  await bytes.next();
  t.is(upload.silentMs(), 0);
});
