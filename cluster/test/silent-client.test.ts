import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { useNetwork } from './network.ts';
import { until } from './until.ts';

const SEGMENT = 64 * 1024;

/** Silence is tolerated for so long that a test fails if anything waits for its end. */
const network = useNetwork(test, {
  segmentSize: SEGMENT,
  blockTimeMs: 100,
  node: { limits: { diskReserve: '256 MiB', idleTimeoutMs: 600_000 } },
});

/** A body that stops after its first bytes, as on a network that fails silently. */
function cut(t: ExecutionContext, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const end = new AbortController();
  t.teardown(() => end.abort());
  return (async function* () {
    yield bytes;
    if (!end.signal.aborted) await once(end.signal, 'abort');
  })();
}

test('a client whose connection was lost uploads again after a few seconds', async (t) => {
  const net = network();
  const object = await net.createObject(await net.createBucket(1), { size: 4 * SEGMENT });
  const lost = t.throwsAsync(net.put(1, object, cut(t, object.payload.subarray(0, 2.5 * SEGMENT))));
  await net.reached(1, object, 'UPLOAD_OBJECT_DOING');
  const refused = await t.throwsAsync(net.put(1, object));
  t.regex(refused?.message ?? '', /being uploaded/);
  await until('the retry is taken', async () => {
    await net.put(1, object);
    return true;
  });
  t.regex((await lost)?.message ?? '', /started to upload the object again/);
  await net.sealed(object);
  t.true((await net.get(1, object)).equals(object.payload));
  t.is((await net.job(1, object.job))?.context.uploadAttempt, 2);
});
