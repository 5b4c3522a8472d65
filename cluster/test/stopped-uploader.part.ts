import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import anyTest, { type TestFn } from 'ava';
import { segmentKey } from '#protocols/payload/keys';
import { BY_JOURNAL, network } from './small-segments.ts';
import { until } from './until.ts';

const test = anyTest as TestFn;
const SEGMENT = 64 * 1024;
const SEGMENTS = 6;

for (const [adapter, spId] of Object.entries(BY_JOURNAL)) {
  test.serial(
    `${adapter}: an uploader suspended while another was acknowledged changes and deletes nothing`,
    async (t) => {
      const net = network();
      const object = await net.createObject(await net.createBucket(spId), { size: SEGMENTS * SEGMENT });
      const first = net.devnet.sp(spId);

      // The first client sends other bytes than announced, so that all its segments differ.
      const wrong = randomBytes(object.payload.length);
      const goOn = new AbortController();
      async function* slowly(): AsyncGenerator<Uint8Array> {
        yield wrong.subarray(0, 3 * SEGMENT + 7);
        await once(goOn.signal, 'abort');
        yield wrong.subarray(3 * SEGMENT + 7);
      }
      const stopped = net.put(spId, object, slowly()).then(
        () => 'acknowledged',
        () => 'failed',
      );
      await until(
        'the first uploader has stored something',
        async () => (await net.pieces(spId).read(segmentKey(object.job, 2))) ?? undefined,
      );
      first.signal('SIGSTOP');

      const second = await net.addNode(spId);
      t.teardown(() => second.node.stop());
      await until('the second node takes the upload', async () => {
        try {
          const body = Readable.from([object.payload]);
          await second.client.put(object, { body, size: object.payload.length, contentType: 'text/plain' });
          return true;
        } catch {
          // While the first node, which is suspended, still counts as the owner.
          await sleep(500);
          return false;
        }
      });

      first.signal('SIGCONT');
      goOn.abort();
      t.is(await stopped, 'failed');
      await net.sealed(object);
      for (let index = 0; index < SEGMENTS; index += 1) {
        const expected = object.payload.subarray(index * SEGMENT, (index + 1) * SEGMENT);
        t.deepEqual(
          Buffer.from((await net.pieces(spId).read(segmentKey(object.job, index))) ?? []),
          expected,
          `segment ${index}`,
        );
      }

      // Whoever was replaced stays so until it starts again.
      await second.node.stop();
      await first.restart();
    },
  );
}
