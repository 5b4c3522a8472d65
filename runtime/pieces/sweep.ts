import { type Bucket, deleteMessage, purgeChunks } from './bucket.ts';
import { allChunks, allMetas, isHold, keyOfChunk, nuidOf, readMeta } from './object-layout.ts';
import type { PieceOptions, SweepOptions, Swept } from './piece-store.ts';
import { purgeOrphan } from './purge-orphan.ts';
import { serverTime } from './server-time.ts';
import { walk } from './walk.ts';

/** Puts processed together: the memory that a pass costs. */
const WINDOW = 100_000;

/**
 * Purges chunks without a meta. Works in windows: takes puts with old chunks in stream order and removes those that
 * a list of the metas shows to be pieces. A put missing from the list may still be a piece: each of the remaining
 * puts is looked up by name and decided in `purgeOrphan`.
 */
export async function sweepOrphans(bucket: Bucket, options: SweepOptions): Promise<Swept> {
  const before = (await serverTime(bucket)) - options.olderThanMs;
  let purged = 0;
  let unclaimed = 0;
  let window: Window = { puts: new Map(), next: 1 };
  while (window.next !== undefined && purged < options.limit) {
    window = await oldPuts(bucket, { before, from: window.next }, options);
    await removePieces(bucket, window.puts, { ...options, before });
    for (const [nuid, { key, chunks }] of window.puts) {
      if (purged >= options.limit) break;
      const keep = Math.max(0, chunks - (options.limit - purged));
      if (key === undefined) unclaimed += chunks;
      else purged += await purgeOrphan(bucket, { key, nuid, keep });
    }
  }
  return { purged, unclaimed };
}

interface Put {
  /** The piece that its chunks were stored for; undefined unless all of them name it. */
  key: string | undefined;
  /** Old ones. */
  chunks: number;
}

interface Window {
  /** By the nuid of the put. */
  readonly puts: Map<string, Put>;
  /** Sequence at which the next window begins; undefined after the last. */
  readonly next: number | undefined;
}

async function oldPuts(
  bucket: Bucket,
  range: { readonly before: number; readonly from: number },
  options: PieceOptions,
): Promise<Window> {
  const puts = new Map<string, Put>();
  const walked = walk(bucket, allChunks(bucket.name), { ...options, from: range.from, headersOnly: true });
  for await (const message of walked) {
    if (message.time > range.before) break;
    const nuid = nuidOf(message.subject);
    const key = keyOfChunk(message.headers);
    const put = puts.get(nuid);
    if (put) {
      put.chunks += 1;
      if (put.key !== key) put.key = undefined;
    } else if (puts.size === WINDOW) {
      return { puts, next: message.seq };
    } else {
      puts.set(nuid, { key, chunks: 1 });
    }
  }
  return { puts, next: undefined };
}

/** Removes puts that are pieces from the window. Holds of an interrupted sweep are deleted as well, chunks first. */
async function removePieces(
  bucket: Bucket,
  puts: Map<string, Put>,
  options: PieceOptions & { readonly before: number },
): Promise<void> {
  if (puts.size === 0) return;
  for await (const message of walk(bucket, allMetas(bucket.name), options)) {
    const info = readMeta(message.data);
    if (info && !info.deleted) puts.delete(info.nuid);
    if (!info || !isHold(info) || message.time > options.before) continue;
    await purgeChunks(bucket, info.nuid);
    await deleteMessage(bucket, message.seq);
    puts.delete(info.nuid);
  }
}
