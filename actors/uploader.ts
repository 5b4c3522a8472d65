import { Terminal } from '../protocols/errors.ts';
import type { Hex } from '../protocols/greenfield/types.ts';
import { expectChecksums } from '../protocols/integrity/expect-checksums.ts';
import { isDelegated } from '../protocols/job/checksums.ts';
import type { JobContext } from '../protocols/job/context.ts';
import { segmentKey } from '../protocols/payload/keys.ts';
import { type PayloadPlan, planPayload } from '../protocols/payload/plan.ts';
import type { Behaviour, Context, Outcome, Ref, Reply } from '../runtime/actors/types.ts';
import type { PieceStore, StoredPiece } from '../runtime/pieces/piece-store.ts';
import { collectSegments } from './segment-reader.ts';

/** What the object actor hears of its uploader. */
export type UploaderReport =
  /** A segment of an earlier attempt holds other bytes: record that it goes, then answer. */
  | { readonly type: 'discard-segment'; readonly segmentIndex: number; readonly reply: Reply<void> }
  /** The end. */
  | { readonly type: 'uploaded'; readonly outcome: Outcome<StoredPayload> };

/** What is durably stored, all of it. */
export interface StoredPayload {
  /** In order. */
  readonly segmentChecksums: readonly Hex[];
  /** The seven integrity hashes, where the chain has none (a delegated upload). */
  readonly checksums?: readonly Hex[];
}

type UploaderMessage = { readonly type: 'ended'; readonly outcome: Outcome<StoredPayload> };

/** Segments on their way to the PieceStore at once. */
const STORES_IN_FLIGHT = 2;

export interface UploaderOptions {
  readonly context: JobContext;
  readonly body: AsyncIterable<Uint8Array>;
  readonly pieces: PieceStore;
  readonly parent: Ref<UploaderReport>;
}

/** Pulls the payload out of the request, cuts it into segments, stores them. Holds three of them at most. */
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
): Promise<StoredPayload> {
  const plan = planPayload(options.context.object);
  const failure = new AbortController();
  const storing = AbortSignal.any([signal, failure.signal]);
  const stores: Promise<StoredPiece>[] = [];
  let received = 0;
  say(ctx, plan, received, 'the client');
  try {
    for await (const segment of collectSegments(options.body, plan, storing)) {
      received += segment.length;
      say(ctx, plan, received, 'the PieceStore');
      const store = storeSegment(options, stores.length, segment, storing);
      // A client that sends slowly must not keep a failed store from ending the upload.
      store.catch((error) => failure.abort(error));
      stores.push(store);
      await stores.at(-STORES_IN_FLIGHT);
      if (received < plan.payloadSize) say(ctx, plan, received, 'the client');
    }
    const segmentChecksums = (await Promise.all(stores)).map((piece) => piece.checksum);
    if (!isDelegated(options.context)) return { segmentChecksums };
    return { segmentChecksums, checksums: await computeChecksums(options, ctx, plan, signal) };
  } finally {
    await Promise.allSettled(stores);
  }
}

/** Encodes what is stored: the chain takes the checksums of all columns with the seal. */
function computeChecksums(
  { pieces, context }: UploaderOptions,
  ctx: Context<UploaderMessage>,
  plan: PayloadPlan,
  signal: AbortSignal,
): Promise<readonly Hex[]> {
  async function* payload(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < plan.segmentCount; index += 1) {
      yield* pieces.read(segmentKey(context.id, index), { signal });
    }
  }
  ctx.say({ doing: 'computing the checksums of all columns', waitsFor: 'the PieceStore' });
  return expectChecksums(payload(), plan, { signal });
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
