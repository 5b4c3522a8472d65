import { once } from 'node:events';
import { toSealionError } from '#protocols/errors';
import { connectNats } from '../nats/connect.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { openNatsPieceStore } from './nats-piece-store.ts';

/**
 * A process of its own for the tests: puts `size` bytes of value `fill` under a key, tells its parent `midway`
 * when half of them are on their way, waits for a message, goes on and tells how it ended.
 */
const [url = '', bucket = '', key = '', size = '0', fill = '0'] = process.argv.slice(2);
const connection = await connectNats({ url, name: 'child', log: silentLogger });
const store = await openNatsPieceStore({ connection, bucket, log: silentLogger });

async function* payload(): AsyncGenerator<Uint8Array> {
  const half = new Uint8Array(Number(size) / 2).fill(Number(fill));
  yield half;
  process.send?.('midway');
  await once(process, 'message');
  yield half;
}

const outcome = await store.put(key, payload()).then(
  () => 'stored',
  (error: unknown) => toSealionError(error).code,
);
await connection.close();
process.send?.(outcome, () => process.disconnect());
