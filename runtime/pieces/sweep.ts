import type { ObjectInfo } from '@nats-io/obj';
import { type Bucket, purgeChunks } from './bucket.ts';
import { allChunks, allMetas, nuidOf } from './object-layout.ts';
import type { PieceOptions } from './piece-store.ts';
import { walk } from './walk.ts';

/** Puts looked at together: what a pass costs in memory. */
const WINDOW = 100_000;

/**
 * Purges chunks that lie under no meta. Works in windows: puts with old chunks in the order of the stream, less
 * those that a meta names.
 */
export async function sweepOrphans(
  bucket: Bucket,
  options: PieceOptions & { readonly olderThanMs: number; readonly limit: number },
): Promise<number> {
  const before = Date.now() - options.olderThanMs;
  let purged = 0;
  let window: Window = { chunks: new Map(), next: 1 };
  while (window.next !== undefined && purged < options.limit) {
    window = await oldPuts(bucket, { before, from: window.next }, options);
    await removeNamed(bucket, window.chunks, options);
    for (const [nuid, count] of window.chunks) {
      if (purged >= options.limit) break;
      purged += await purgeChunks(bucket, nuid, Math.max(0, count - (options.limit - purged)));
    }
  }
  return purged;
}

interface Window {
  /** Number of old chunks by the nuid of their put. */
  readonly chunks: Map<string, number>;
  /** Sequence at which the next window begins; undefined after the last. */
  readonly next: number | undefined;
}

async function oldPuts(
  bucket: Bucket,
  range: { readonly before: number; readonly from: number },
  options: PieceOptions,
): Promise<Window> {
  const chunks = new Map<string, number>();
  const walked = walk(bucket, allChunks(bucket.name), { ...options, from: range.from, headersOnly: true });
  for await (const message of walked) {
    if (message.time.getTime() > range.before) break;
    const nuid = nuidOf(message.subject);
    if (chunks.size === WINDOW && !chunks.has(nuid)) return { chunks, next: message.seq };
    chunks.set(nuid, (chunks.get(nuid) ?? 0) + 1);
  }
  return { chunks, next: undefined };
}

async function removeNamed(
  bucket: Bucket,
  chunks: Map<string, number>,
  options: PieceOptions,
): Promise<void> {
  if (chunks.size === 0) return;
  for await (const message of walk(bucket, allMetas(bucket.name), options)) {
    const info = message.json<ObjectInfo>();
    if (!info.deleted) chunks.delete(info.nuid);
  }
}
