import { throwIfAborted, toSealionError } from '#protocols/errors';
import { versionOnChain } from '#protocols/greenfield/content';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Ref } from '#runtime/actors/types';
import { pause } from '#runtime/async/pause';
import type { Chain } from '#runtime/chain/chain';
import type { Ledger } from '#runtime/journal/journal';
import type { Background } from '#runtime/load/background';
import type { Logger } from '#runtime/telemetry/logger';
import { SegmentRecords } from '../../ledger/segment-record.ts';
import type { RepairerMessage } from '../../repair/repairer.ts';
import type { Verification } from '../../repair/verification.ts';

export interface ObjectCheckOptions {
  readonly ledger: Ledger;
  readonly chain: Pick<Chain, 'objectById' | 'latestBlock'>;
  readonly repairer: Ref<RepairerMessage>;
  /** How fast stored bytes are read, bytes per second. */
  readonly scrubRate: number;
  /** Delays checks while clients are being served. */
  readonly background: Pick<Background, 'yieldToClients'>;
  readonly timing: { readonly chainLagMs: number };
}

/** Results so far. */
export interface Counts {
  readonly objects: number;
  readonly bytes: number;
  readonly repaired: number;
  readonly lost: number;
  readonly failed: number;
}

export const NOTHING: Counts = { objects: 0, bytes: 0, repaired: 0, lost: 0, failed: 0 };

/** Objects that could not be repaired: their other holders may be back before the next pass. */
export const NOT_WHOLE = 'scrub-again/';

/** Pause between two objects, however small: each needs a chain query; ms. */
const PAUSE_MS = 20;
/** Maximum delay of a check while clients are being served, ms. */
const MAX_YIELD_MS = 10_000;

/** Has the repairer verify and repair what we store of one object, at a bounded rate. */
export class ObjectCheck {
  readonly #options: ObjectCheckOptions;
  readonly #log: Logger;

  constructor(options: ObjectCheckOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
  }

  /**
   * Checks an object, and records it under `NOT_WHOLE` if a part of it is still lost.
   * @returns the counts including this object
   * @throws Retryable `chain-unavailable`; Cancelled
   */
  async run(job: JobId, counts: Counts, signal: AbortSignal): Promise<Counts> {
    const { ledger } = this.#options;
    const again = `${NOT_WHOLE}${formatJobId(job)}`;
    const found = { ...counts };
    try {
      for await (const part of this.#parts(job, signal)) this.#count(part, found);
      found.objects += 1;
      if (found.lost > counts.lost) await ledger.put(again, job);
      else await ledger.delete(again);
    } catch (thrown) {
      throwIfAborted(signal);
      const error = toSealionError(thrown);
      if (error.code === 'chain-unavailable' || error.kind === 'cancelled') throw error;
      if (error.kind === 'terminal') await ledger.delete(again);
      else await ledger.put(again, job);
      if (error.code === 'not-sealed') {
        await this.#forget(job, signal);
      } else {
        found.failed += 1;
        this.#log.warn({ error, job: formatJobId(job) }, 'could not verify the stored pieces of an object');
      }
    }
    return found;
  }

  /** Verifies one part after the other, each at a moment without clients and followed by a pause. */
  async *#parts(job: JobId, signal: AbortSignal): AsyncGenerator<Verification, void, undefined> {
    const { background, repairer, scrubRate } = this.#options;
    for (let from: number | undefined = 0; from !== undefined; ) {
      await background.yieldToClients(MAX_YIELD_MS, signal);
      const first: number = from;
      const part: Verification = await repairer.ask<Verification>(
        (reply) => ({ type: 'verify', job, from: first, repair: true, reply }),
        { signal },
      );
      yield part;
      await pause(Math.max(PAUSE_MS, (1_000 * part.bytes) / scrubRate), signal);
      from = part.next;
    }
  }

  #count({ job, bytes, findings }: Verification, found: { -readonly [K in keyof Counts]: number }): void {
    found.bytes += bytes;
    for (const { state, segmentIndex, why } of findings) {
      if (state === 'repaired') found.repaired += 1;
      if (state !== 'lost') continue;
      found.lost += 1;
      this.#log.error(
        { job: formatJobId(job), segmentIndex, why },
        'a stored piece is lost and cannot be repaired at the moment',
      );
    }
  }

  /** Deletes our record of segments once an up-to-date chain node shows that nobody can read them any more. */
  async #forget(job: JobId, signal: AbortSignal): Promise<void> {
    const { chain, ledger, timing } = this.#options;
    const { time } = await chain.latestBlock({ signal });
    if (Date.now() - time > timing.chainLagMs) return;
    const { kind } = versionOnChain(await chain.objectById(job.objectId, { signal }), job.version);
    if (kind === 'gone' || kind === 'replaced') await new SegmentRecords(ledger).forget(job);
  }
}
