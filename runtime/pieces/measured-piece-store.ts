import type { Metrics } from '../telemetry/metrics.ts';
import type { PieceStore } from './piece-store.ts';

/** A PieceStore whose operations are timed and whose bytes are counted. Lists and sweeps are not: they take as long as they like. */
export function measuredPieceStore(
  store: PieceStore,
  { pieceSeconds, pieceBytes }: Pick<Metrics, 'pieceSeconds' | 'pieceBytes'>,
): PieceStore {
  const [put, get, read, stat, erase] = (['put', 'get', 'read', 'stat', 'delete'] as const).map((operation) =>
    pieceSeconds.of(operation),
  );
  const written = pieceBytes.of('in');
  const sent = pieceBytes.of('out');
  return {
    async put(key, bytes, options) {
      const begin = performance.now();
      const stored = await store.put(key, bytes, options);
      put?.since(begin);
      written.inc(stored.size);
      return stored;
    },
    async get(key, options) {
      const begin = performance.now();
      const bytes = await store.get(key, options);
      get?.since(begin);
      sent.inc(bytes.length);
      return bytes;
    },
    async *read(key, options) {
      const begin = performance.now();
      for await (const chunk of store.read(key, options)) {
        sent.inc(chunk.length);
        yield chunk;
      }
      read?.since(begin);
    },
    async stat(key, options) {
      const begin = performance.now();
      const found = await store.stat(key, options);
      stat?.since(begin);
      return found;
    },
    async delete(key, options) {
      const begin = performance.now();
      await store.delete(key, options);
      erase?.since(begin);
    },
    list: (options) => store.list(options),
    sweep: (options) => store.sweep(options),
  };
}
