import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test from 'ava';
import { SpClient } from './sp-client.ts';
import { partSize, uploadParts } from './upload-parts.ts';

const PART = 1_000;
const PAYLOAD = randomBytes(3_500);

test('a part is whole segments, of 16 MiB or one segment', (t) => {
  t.is(partSize(16 * 2 ** 20), 16 * 2 ** 20);
  t.is(partSize(3 * 2 ** 20), 15 * 2 ** 20);
  t.is(partSize(20 * 2 ** 20), 20 * 2 ** 20);
});

test('an upload that breaks continues from where the provider says', async (t) => {
  const stored = Buffer.alloc(PAYLOAD.length);
  const parts: (readonly [offset: number, length: number, complete: boolean])[] = [];
  let breaks = true;
  const server = createServer(async (request, response) => {
    const query = new URL(request.url ?? '', 'http://sp').searchParams;
    if (query.has('upload-context')) {
      response.end('<QueryResumeOffset version="1.0"><Offset>2000</Offset></QueryResumeOffset>');
      return;
    }
    const bytes = await buffer(request);
    const offset = Number(query.get('offset'));
    bytes.copy(stored, offset);
    parts.push([offset, bytes.length, query.get('complete') === 'true']);
    // The part is stored, and its answer lost.
    if (offset === PART && breaks) response.destroy();
    else response.setHeader('X-Sealion-Durability', 'crash-safe').end();
    breaks &&= offset !== PART;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = await mkdtemp(join(tmpdir(), 'sealion-parts-'));
  t.teardown(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'payload');
  await writeFile(file, PAYLOAD);

  const { port } = server.address() as AddressInfo;
  const sp = new SpClient(`http://127.0.0.1:${port}`, new Uint8Array(32).fill(1));
  const reached: number[] = [];
  const durability = await uploadParts(
    sp,
    { bucketName: 'bucket', objectName: 'object' },
    { file, size: PAYLOAD.length, offset: 0, partBytes: PART },
    { signal: new AbortController().signal, onProgress: (done) => reached.push(done) },
  );
  t.is(durability, 'crash-safe');
  t.deepEqual(parts, [
    [0, 1_000, false],
    [1_000, 1_000, false],
    [2_000, 1_000, false],
    [3_000, 500, true],
  ]);
  t.true(stored.equals(PAYLOAD));
  t.is(reached.at(-1), PAYLOAD.length);
});
