import { Terminal } from '../protocols/errors.ts';
import type { Hex } from '../protocols/greenfield/types.ts';
import type { JobContext } from '../protocols/job/context.ts';
import { segmentKey } from '../protocols/payload/keys.ts';
import type { SegmentRange } from '../protocols/payload/part.ts';
import { type PayloadPlan, planPayload } from '../protocols/payload/plan.ts';
import type { Behaviour, Context, Outcome, Ref, Reply } from '../runtime/actors/types.ts';
import type { PieceStore, StoredPiece } from '../runtime/pieces/piece-store.ts';
import { collectSegments } from './segment-reader.ts';

/** What the object actor hears of its uploader. */
export type UploaderReport =
  /** A segment that was stored earlier holds other bytes: record that it goes, then answer. */
  | { readonly type: 'discard-segment'; readonly segmentIndex: number; readonly reply: Reply<void> }
  /** The end; the checksums of the segments that the body held, in order, all durably stored. */
  | { readonly type: 'uploaded'; readonly outcome: Outcome<readonly Hex[]> };

type UploaderMessage = { readonly type: 'ended'; readonly outcome: Outcome<readonly Hex[]> };

/** Segments on their way to the PieceStore at once. */
const STORES_IN_FLIGHT = 2;

export interface UploaderOptions {
  readonly context: JobContext;
  /** The segments that the body holds: all of them, or those of one part. */
  readonly range: SegmentRange;
  readonly body: AsyncIterable<Uint8Array>;
  readonly pieces: PieceStore;
  readonly parent: Ref<UploaderReport>;
}

/** Pulls the payload, or a part of it, out of the request, cuts it into segments, stores them. Holds three of them at most. */
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
      options.parent.tell({ type: 'uploaded', outcome });
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
  const { range, body } = options;
  const plan = planPayload(options.context.object);
  const failure = new AbortController();
  const storing = AbortSignal.any([signal, failure.signal]);
  const stores: Promise<StoredPiece>[] = [];
  let received = range.firstSegment * plan.maxSegmentSize;
  say(ctx, plan, received, 'the client');
  try {
    for await (const segment of collectSegments(body, plan, range, storing)) {
      received += segment.length;
      say(ctx, plan, received, 'the PieceStore');
      const store = storeSegment(options, range.firstSegment + stores.length, segment, storing);
      // A client that sends slowly must not keep a failed store from ending the upload.
      store.catch((error) => failure.abort(error));
      stores.push(store);
      await stores.at(-STORES_IN_FLIGHT);
      if (stores.length < range.segmentCount) say(ctx, plan, received, 'the client');
    }
    return (await Promise.all(stores)).map((piece) => piece.checksum);
  } finally {
    await Promise.allSettled(stores);
  }
}

/** Pieces are write-once: other bytes under the name go only after the journal has said so (design §5). */
async function storeSegment(
  options: UploaderOptions,
  segmentIndex: number,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<StoredPiece> {
  const { pieces, parent, context } = options;
  const key = segmentKey(context.id, segmentIndex);
  try {
    return await pieces.put(key, bytes, { signal });
  } catch (error) {
    if (!(error instanceof Terminal) || error.code !== 'piece-exists') throw error;
  }
  await parent.ask<void>((reply) => ({ type: 'discard-segment', segmentIndex, reply }), { signal });
  await pieces.delete(key, { signal });
  return pieces.put(key, bytes, { signal });
}

function say(ctx: Context<UploaderMessage>, plan: PayloadPlan, received: number, waitsFor: string): void {
  ctx.say({
    doing: `receiving the payload, ${plan.segmentCount} segments`,
    waitsFor,
    progress: { done: received, total: plan.payloadSize, unit: 'bytes' },
  });
}
