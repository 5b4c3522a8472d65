import { Retryable, throwIfAborted, toSealionError } from '#protocols/errors';

/** A source of one shard of a segment. */
export interface ShardSource {
  /** Index of the shard in the erasure code: the redundancy index. */
  readonly index: number;
  /** For the reason of a failure, for example `sp 4`. */
  readonly name: string;
  fetch(signal: AbortSignal): Promise<Uint8Array>;
}

export interface GatherOptions<R> {
  /** How many shards are needed for a segment. */
  readonly need: number;
  /** After this time without a new shard one more source is asked, ms. */
  readonly hedgeMs: number;
  readonly signal: AbortSignal;
  /**
   * Called with each new shard once there are enough; a result ends the gathering.
   * @param shards by index
   * @param newest index of the shard that has just arrived
   * @returns undefined when these shards do not give the wanted result
   */
  accept(shards: ReadonlyMap<number, Uint8Array>, newest: number): R | undefined;
}

/**
 * Asks as many sources as are needed, in order, and one more for each that fails, is slow or sends a shard that is
 * not accepted. The first sufficient shards win; the other requests are cancelled.
 * @throws Retryable `too-few-pieces` with what each source said; Cancelled
 */
export async function gather<R>(sources: readonly ShardSource[], options: GatherOptions<R>): Promise<R> {
  const { need, hedgeMs, signal, accept } = options;
  throwIfAborted(signal);
  const shards = new Map<number, Uint8Array>();
  const reasons: string[] = [];
  const over = new AbortController();
  return new Promise<R>((resolve, reject) => {
    let next = 0;
    let running = 0;
    let ended = false;
    let slow: NodeJS.Timeout | undefined;
    const end = (settle: () => void) => {
      if (ended) return;
      ended = true;
      clearTimeout(slow);
      signal.removeEventListener('abort', stop);
      over.abort();
      settle();
    };
    const stop = () =>
      end(() => {
        try {
          throwIfAborted(signal);
        } catch (reason) {
          reject(reason);
        }
      });
    const startOne = () => {
      const source = sources[next];
      if (ended || !source) return;
      next += 1;
      running += 1;
      clearTimeout(slow);
      slow = setTimeout(startOne, hedgeMs);
      source
        .fetch(over.signal)
        .then((bytes) => {
          if (ended) return;
          shards.set(source.index, bytes);
          if (shards.size < need) return;
          const result = accept(shards, source.index);
          if (result === undefined) startOne();
          else end(() => resolve(result));
        })
        .catch((error: unknown) => {
          reasons.push(`${source.name}: ${toSealionError(error).message}`);
          startOne();
        })
        .finally(() => {
          running -= 1;
          if (!ended && running === 0 && next >= sources.length) {
            end(() => reject(tooFew(need, shards.size, reasons)));
          }
        });
    };
    signal.addEventListener('abort', stop, { once: true });
    for (let started = 0; started < need; started += 1) startOne();
    if (sources.length === 0) end(() => reject(tooFew(need, 0, reasons)));
  });
}

function tooFew(need: number, got: number, reasons: readonly string[]): Retryable {
  const why = got >= need ? 'the pieces received do not match the checksums on chain' : `only ${got} arrived`;
  return new Retryable({
    code: 'too-few-pieces',
    message: `${need} good pieces are needed, and ${why}${reasons.length > 0 ? `. ${reasons.join(' ')}` : '.'}`,
    advice: 'Try again when the storage providers of its group can be reached.',
  });
}
