import { Terminal } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import type { JobContext } from '#protocols/job/context';
import { segmentKey } from '#protocols/payload/keys';
import type { SegmentRange } from '#protocols/payload/part';
import { type PayloadPlan, planPayload } from '#protocols/payload/plan';
import type { Behaviour, Context, Outcome, Ref, Reply } from '#runtime/actors/types';
import type { PieceStore, StoredPiece } from '#runtime/pieces/piece-store';
import { SegmentReader } from './segment-reader.ts';

/** Sent to the object actor. */
export type UploaderReport =
  /** An earlier segment under the same name holds other bytes: record that it will be deleted, then reply. */
  | {
      readonly type: 'discard-segment';
      readonly intake: number;
      readonly segmentIndex: number;
      readonly reply: Reply<void>;
    }
  /** The upload has ended; the checksums of the segments that the body held, in order, all durably stored. */
  | { readonly type: 'uploaded'; readonly intake: number; readonly outcome: Outcome<readonly Hex[]> };

type UploaderMessage = { readonly type: 'ended'; readonly outcome: Outcome<readonly Hex[]> };

/** Up to this length, bytes, a segment is written without looking first whether it is stored already. */
const SMALL_SEGMENT = 512 * 1024;

export interface UploaderOptions {
  /** Number of the request, repeated in each report. */
  readonly intake: number;
  readonly context: JobContext;
  /** The segments that the body holds: all, or those of one part. */
  readonly range: SegmentRange;
  readonly body: AsyncIterable<Uint8Array>;
  readonly pieces: PieceStore;
  readonly parent: Ref<UploaderReport>;
}

/** Streams the payload, or a part of it, from the request into the PieceStore, segment by segment. */
export function uploader(options: UploaderOptions): Behaviour<UploaderMessage, undefined> {
  return {
    kind: 'uploader',
    start(ctx) {
      ctx.pipe(
        (signal) => upload(options, ctx, signal),
        (outcome) => ({ type: 'ended', outcome }),
      );
      return undefined;
    },
    receive(_state, { outcome }, ctx) {
      options.parent.tell({ type: 'uploaded', intake: options.intake, outcome });
      ctx.stopSelf();
      return undefined;
    },
  };
}

async function upload(
  options: UploaderOptions,
  ctx: Context<UploaderMessage>,
  signal: AbortSignal,
): Promise<readonly Hex[]> {
  const { context, range, body } = options;
  const plan = planPayload(context.object);
  const before = range.firstSegment * plan.maxSegmentSize;
  const onWait = (waiting: boolean) =>
    say(ctx, plan, before + reader.received, waiting ? 'the client' : 'the PieceStore');
  const reader = new SegmentReader(body, plan, range, { signal, onWait });
  const checksums: Hex[] = [];
  try {
    for (let i = 0; i < range.segmentCount; i += 1) {
      const index = range.firstSegment + i;
      checksums.push((await storeSegment(options, index, reader.segment(index), signal)).checksum);
    }
    await reader.end();
    return checksums;
  } finally {
    reader.close();
  }
}

/**
 * Stores one segment. Pieces are write-once, so other bytes under the same name are deleted first, but only after the
 * journal has recorded that (ARCHITECTURE.md#pieces). Until then the segment is held in memory. Such bytes can exist at
 * any attempt: from an earlier one, or from another life of the job that the journal has forgotten.
 */
async function storeSegment(
  { pieces, parent, context, intake }: UploaderOptions,
  segmentIndex: number,
  segment: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<StoredPiece> {
  const key = segmentKey(context.id, segmentIndex);
  const isSmall = planPayload(context.object).segment(segmentIndex).length <= SMALL_SEGMENT;
  const seenAbsent = isSmall || !(await pieces.stat(key, { signal }));
  if (seenAbsent && !isSmall) return pieces.put(key, segment, { signal, seenAbsent });
  const bytes = await collect(segment);
  try {
    return await pieces.put(key, bytes, { signal, seenAbsent });
  } catch (error) {
    if (!(error instanceof Terminal) || error.code !== 'piece-exists') throw error;
  }
  await parent.ask<void>((reply) => ({ type: 'discard-segment', intake, segmentIndex, reply }), { signal });
  await pieces.delete(key, { signal });
  return pieces.put(key, bytes, { signal });
}

async function collect(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const held: Uint8Array[] = [];
  for await (const part of parts) held.push(part);
  return Buffer.concat(held);
}

function say(ctx: Context<UploaderMessage>, plan: PayloadPlan, received: number, waitsFor: string): void {
  ctx.say({
    doing: `receiving the payload, ${plan.segmentCount} segments`,
    waitsFor,
    progress: { done: received, total: plan.payloadSize, unit: 'bytes' },
  });
}
