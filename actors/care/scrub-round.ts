import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted, toSealionError } from '#protocols/errors';
import { versionOnChain } from '#protocols/greenfield/content';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Ref } from '#runtime/actors/types';
import { orAborted } from '#runtime/async/or-aborted';
import type { Chain } from '#runtime/chain/chain';
import type { Ledger } from '#runtime/journal/journal';
import type { Background } from '#runtime/load/background';
import type { Logger } from '#runtime/telemetry/logger';
import { COLUMN_RECORDS, type ColumnRecord } from '../ledger/column-record.ts';
import { SEGMENT_RECORDS, type SegmentRecord, SegmentRecords } from '../ledger/segment-record.ts';
import type { RepairerMessage } from '../repair/repairer.ts';
import type { Verification } from '../repair/verification.ts';
import type { Round } from './round.ts';

export interface ScrubRoundOptions {
  readonly ledger: Ledger;
  readonly chain: Pick<Chain, 'objectById' | 'latestBlock'>;
  readonly repairer: Ref<RepairerMessage>;
  /** How fast stored bytes are read, bytes per second. */
  readonly scrubRate: number;
  /** Clients come before the scrub. */
  readonly background: Pick<Background, 'yieldToClients'>;
  readonly timing: {
    /** From the start of one pass over everything to the start of the next, ms. */
    readonly scrubPassMs: number;
    readonly chainLagMs: number;
  };
}

/** Position of the pass. Stored in the ledger, so that it continues after a restart. */
interface Pass {
  /** Unix ms. */
  readonly startedAt: number;
  /** Key of the last record that was looked at. */
  readonly after?: string;
  readonly counts: Counts;
  /** Unix ms; present when everything was looked at. */
  readonly doneAt?: number;
}

interface Counts {
  readonly objects: number;
  readonly bytes: number;
  readonly repaired: number;
  readonly lost: number;
  readonly failed: number;
}

const PASS = 'scrub/pass';
/** Objects that could not be repaired: their other holders may be back before the next pass. */
export const NOT_WHOLE = 'scrub-again/';
const NOTHING: Counts = { objects: 0, bytes: 0, repaired: 0, lost: 0, failed: 0 };
/** Records read at a time: no iterator stays open while pieces are read. */
const BATCH = 256;
/** Pause between two objects, however small: each needs a chain query; ms. */
const PAUSE_MS = 20;
/** How long the check of an object waits while clients are being served; ms. */
const MAX_YIELD_MS = 10_000;
const HOUR_MS = 3_600_000;

type Holding = ColumnRecord | SegmentRecord;

/**
 * Verifies each stored piece once per pass, at a bounded rate, and has damaged or missing ones repaired: every
 * column that we have signed for, and every segment of sealed objects whose primary we are. This also refills a
 * PieceStore that has lost its data.
 */
export function scrubRound(options: ScrubRoundOptions, log: Logger): Round {
  const { ledger, chain, repairer, scrubRate, background, timing } = options;
  let over = false;
  return {
    heals: 'pieces',
    doing: 'verifying the stored pieces',
    everyMs: Math.min(HOUR_MS, timing.scrubPassMs / 4),
    startOver() {
      over = true;
    },
    async run(signal) {
      await again(signal);
      let pass = over ? undefined : await ledger.get<Pass>(PASS);
      over = false;
      if (!pass || pass.doneAt !== undefined) {
        if (pass && Date.now() < pass.startedAt + timing.scrubPassMs) return undefined;
        pass = { startedAt: Date.now(), counts: NOTHING };
      }
      for await (const [key, record] of holdings(pass.after, signal)) {
        if (over) return undefined;
        pass = { ...pass, after: key, counts: await look(record, pass.counts, signal) };
        await ledger.put(PASS, pass);
      }
      await ledger.put(PASS, { ...pass, doneAt: Date.now() });
      const { objects, bytes, repaired, lost, failed } = pass.counts;
      return `verified ${objects} objects (${bytes} bytes): ${repaired} pieces repaired, ${lost} not repairable now, ${failed} objects not verified`;
    },
  };

  /** What could not be repaired before. */
  async function again(signal: AbortSignal): Promise<void> {
    const waiting: (readonly [string, JobId])[] = [];
    for await (const entry of ledger.entries<JobId>(NOT_WHOLE, { signal })) {
      if (waiting.push(entry) === BATCH) break;
    }
    for (const [, job] of waiting) await look({ job, segmentChecksums: [] }, NOTHING, signal);
  }

  async function* holdings(
    after: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<readonly [string, Holding], void, undefined> {
    let last = after;
    for (const prefix of [COLUMN_RECORDS, SEGMENT_RECORDS]) {
      for (let batch: (readonly [string, Holding])[] | undefined; batch?.length !== 0; ) {
        batch = [];
        const from = last !== undefined && last >= prefix ? { after: last } : {};
        for await (const entry of ledger.entries<Holding>(prefix, { ...from, signal })) {
          if (batch.push(entry) === BATCH) break;
        }
        last = batch.at(-1)?.[0] ?? last;
        yield* batch;
      }
    }
  }

  /** Verifies one object, part after part. */
  async function look(record: Holding, counts: Counts, signal: AbortSignal): Promise<Counts> {
    const { job } = record;
    if ('redundancyIndex' in record && (!record.held || record.discarding)) return counts;
    const again = `${NOT_WHOLE}${formatJobId(job)}`;
    let { objects, bytes, repaired, lost, failed } = counts;
    const lostBefore = lost;
    try {
      for (let from: number | undefined = 0; from !== undefined; ) {
        await background.yieldToClients(MAX_YIELD_MS, signal);
        const part: Verification = await verify(job, from, signal);
        bytes += part.bytes;
        for (const { state, segmentIndex, why } of part.findings) {
          if (state === 'repaired') repaired += 1;
          if (state !== 'lost') continue;
          lost += 1;
          log.error(
            { job: formatJobId(job), segmentIndex, why },
            'a stored piece is lost and cannot be repaired at the moment',
          );
        }
        from = part.next;
        await orAborted(sleep(Math.max(PAUSE_MS, (1_000 * part.bytes) / scrubRate)), signal);
      }
      objects += 1;
      if (lost > lostBefore) await ledger.put(again, job);
      else await ledger.delete(again);
    } catch (thrown) {
      throwIfAborted(signal);
      const error = toSealionError(thrown);
      if (error.code === 'chain-unavailable' || error.kind === 'cancelled') throw error;
      if (error.code === 'not-sealed') await forget(job, signal);
      else if (error.kind === 'terminal') await ledger.delete(again);
      else await ledger.put(again, job);
      if (error.code !== 'not-sealed') {
        failed += 1;
        log.warn({ error, job: formatJobId(job) }, 'could not verify the stored pieces of an object');
      }
    }
    return { objects, bytes, repaired, lost, failed };
  }

  function verify(job: JobId, from: number, signal: AbortSignal): Promise<Verification> {
    return repairer.ask<Verification>((reply) => ({ type: 'verify', job, from, repair: true, reply }), {
      signal,
    });
  }

  /** Deletes our record of segments once an up-to-date chain node shows that nobody can read them any more. */
  async function forget(job: JobId, signal: AbortSignal): Promise<void> {
    await ledger.delete(`${NOT_WHOLE}${formatJobId(job)}`);
    const { time } = await chain.latestBlock({ signal });
    if (Date.now() - time > timing.chainLagMs) return;
    const { kind } = versionOnChain(await chain.objectById(job.objectId, { signal }), job.version);
    if (kind === 'gone' || kind === 'replaced') await new SegmentRecords(ledger).forget(job);
  }
}
