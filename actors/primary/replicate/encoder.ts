import type { JobContext } from '#protocols/job/context';
import { segmentKey } from '#protocols/payload/keys';
import { type PayloadPlan, planPayload } from '#protocols/payload/plan';
import { redundancyCode } from '#protocols/payload/redundancy';
import type { Behaviour, Context, Outcome, Reply } from '#runtime/actors/types';
import type { ByteBudget, Release } from '#runtime/async/byte-budget';
import type { ReusedMemory } from '#runtime/async/reused-memory';
import { nextTurn } from '#runtime/async/turns';
import type { Background } from '#runtime/load/background';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { readDataShards } from './data-shards.ts';
import { readShard } from './shard-reader.ts';

export type EncoderMessage =
  /**
   * A replicator pulls its piece of a segment. With EC the answer is its own, and it may give its memory back; with
   * REPLICA others read it too.
   */
  | {
      readonly type: 'piece';
      readonly segmentIndex: number;
      readonly redundancyIndex: number;
      readonly reply: Reply<Uint8Array>;
    }
  | { readonly type: 'loaded'; readonly segmentIndex: number; readonly outcome: Outcome<Loaded> }
  /** Another user of the node's memory budget is waiting. */
  | { readonly type: 'shortage' }
  | { readonly type: 'caught-up'; readonly request: PieceRequest; readonly outcome: Outcome<Uint8Array> };

interface Loaded {
  /** With EC undefined where a replicator has it. */
  readonly shards: (Uint8Array | undefined)[];
  readonly release: Release;
}

type PieceRequest = Extract<EncoderMessage, { type: 'piece' }>;

/** A segment in the window, loaded or being loaded. */
interface Entry {
  loaded?: Loaded;
  readonly waiting: PieceRequest[];
  readonly taken: Set<number>;
}

interface State {
  readonly window: Map<number, Entry>;
  /** The segment after the highest one that was ever loaded. */
  front: number;
  readonly stragglers: PieceRequest[];
  /** Memory that this incarnation holds of the node's budget. */
  readonly held: Set<Release>;
  readonly stopListening: () => void;
}

/** How long a segment waits while clients are being served: less than a receiver waits for the next piece; ms. */
const MAX_YIELD_MS = 2_000;
/** Number of encoded segments kept at once: those that the columns are sending, and the next. */
const WINDOW = 3;

export interface EncoderOptions {
  readonly context: JobContext;
  readonly pieces: PieceStore;
  readonly memory: ByteBudget;
  /** For the shards of segments. */
  readonly shardMemory: ReusedMemory;
  readonly background: Pick<Background, 'yieldToClients'>;
}

/**
 * Reads segments, encodes each once for all columns, and keeps a bounded window of them. For example, with segments 4,
 * 5 and 6 in the window, `front` is 7:
 *
 * - A piece of 4, 5 or 6 is served from the window. A segment leaves the window when all columns of the object have
 *   taken their piece, when a newer segment needs its place, or when another user of the memory budget waits.
 * - A piece of 7 loads segment 7, so the fastest column moves the window. A request for the newest segment (6) also
 *   loads the next one (7), if there is a place and memory for it. A piece of 9 loads segment 9 and skips 7 and 8.
 * - A piece of 3, or of any other segment below `front` that is not in the window, is for a *straggler*. It is read and
 *   encoded again for this one column, one piece at a time, so that a slow column never delays the others. A segment
 *   that could not be read is served in this way too, when it is asked for again.
 *
 * (ARCHITECTURE.md#the-actor-tree)
 */
export function encoder(options: EncoderOptions): Behaviour<EncoderMessage, State> {
  const plan = planPayload(options.context.object);
  const code = redundancyCode(plan);

  return {
    kind: 'encoder',
    start(ctx) {
      const stopListening = options.memory.onShortage(() => ctx.self.tell({ type: 'shortage' }));
      ctx.say({ doing: 'ready', waitsFor: 'the replicators' });
      return { window: new Map(), front: 0, stragglers: [], held: new Set(), stopListening };
    },

    receive(state, message, ctx) {
      switch (message.type) {
        case 'piece':
          ask(state, message, ctx);
          break;
        case 'loaded':
          keepLoaded(state, message, ctx);
          break;
        case 'shortage':
          makeRoom(state, 0);
          break;
        case 'caught-up':
          answer(message.request, message.outcome);
          state.stragglers.shift();
          catchUp(state, ctx);
      }
      say(state, plan, ctx);
      return state;
    },

    stopped(state) {
      state?.stopListening();
      for (const release of state?.held ?? []) release();
    },
  };

  function ask(state: State, request: PieceRequest, ctx: Context<EncoderMessage>): void {
    const { segmentIndex } = request;
    serve(state, request, ctx);
    const next = segmentIndex + 1;
    if (next !== state.front || next >= plan.segmentCount || state.window.size >= WINDOW) return;
    const release = options.memory.tryAcquire(weight(plan, next));
    if (release) load(state, next, ctx, release);
  }

  function serve(state: State, request: PieceRequest, ctx: Context<EncoderMessage>): void {
    const { segmentIndex, redundancyIndex } = request;
    const entry = state.window.get(segmentIndex);
    if (entry?.loaded?.shards[redundancyIndex]) {
      give(state, segmentIndex, entry, request);
    } else if (entry && !entry.loaded) {
      entry.waiting.push(request);
    } else if (segmentIndex < state.front) {
      state.stragglers.push(request);
      if (state.stragglers.length === 1) catchUp(state, ctx);
    } else {
      load(state, segmentIndex, ctx).waiting.push(request);
    }
  }

  function load(state: State, segmentIndex: number, ctx: Context<EncoderMessage>, granted?: Release): Entry {
    makeRoom(state, WINDOW - 1);
    const entry: Entry = { waiting: [], taken: new Set() };
    state.window.set(segmentIndex, entry);
    state.front = segmentIndex + 1;
    ctx.pipe(
      async (signal) => {
        const mine = granted && held(state, granted);
        await options.background.yieldToClients(MAX_YIELD_MS, signal);
        const release = mine ?? held(state, await options.memory.acquire(weight(plan, segmentIndex), signal));
        return encodeSegment(segmentIndex, release, signal);
      },
      (outcome) => ({ type: 'loaded', segmentIndex, outcome }),
    );
    return entry;
  }

  async function encodeSegment(segmentIndex: number, release: Release, signal: AbortSignal): Promise<Loaded> {
    try {
      const key = segmentKey(options.context.id, segmentIndex);
      const { length } = plan.segment(segmentIndex);
      const { pieces, shardMemory } = options;
      const data = await readDataShards(pieces, key, length, code, shardMemory, signal);
      const shards = await code.completeInTurns(data, nextTurn, (bytes) => shardMemory.take(bytes));
      return { shards: [...shards], release };
    } catch (error) {
      release();
      throw error;
    }
  }

  function keepLoaded(
    state: State,
    { segmentIndex, outcome }: Extract<EncoderMessage, { type: 'loaded' }>,
    ctx: Context<EncoderMessage>,
  ): void {
    const entry = state.window.get(segmentIndex);
    const waiting = entry?.waiting.splice(0) ?? [];
    if (entry && outcome.ok) {
      entry.loaded = outcome.value;
      for (const request of waiting) serve(state, request, ctx);
      if (options.memory.isShort) makeRoom(state, 0);
    } else if (!outcome.ok) {
      state.window.delete(segmentIndex);
      for (const request of waiting) request.reply.reject(outcome.error);
    }
  }

  function give(state: State, segmentIndex: number, entry: Entry, request: PieceRequest): void {
    const shard = entry.loaded?.shards[request.redundancyIndex];
    if (!shard) return;
    // Not copied: each shard has a buffer of its own, so a slow replicator keeps no other shard in memory.
    if (entry.loaded && plan.redundancy === 'EC') entry.loaded.shards[request.redundancyIndex] = undefined;
    request.reply.resolve(shard);
    entry.taken.add(request.redundancyIndex);
    if (entry.taken.size === plan.columnCount) evict(state, segmentIndex, entry);
  }

  function catchUp(state: State, ctx: Context<EncoderMessage>): void {
    const request = state.stragglers[0];
    if (!request) return;
    ctx.pipe(
      (signal) =>
        readShard({ ...options, plan, code }, request.segmentIndex, request.redundancyIndex, signal),
      (outcome) => ({ type: 'caught-up', request, outcome }),
    );
  }
}

/** Registers memory, so that it is released at the latest with this incarnation. */
function held(state: State, release: Release): Release {
  const once = () => {
    state.held.delete(once);
    release();
  };
  state.held.add(once);
  return once;
}

/** Drops the oldest loaded segments until at most `keep` entries are left. */
function makeRoom(state: State, keep: number): void {
  for (const [segmentIndex, entry] of state.window) {
    if (state.window.size <= keep) return;
    if (entry.loaded) evict(state, segmentIndex, entry);
  }
}

function evict(state: State, segmentIndex: number, entry: Entry): void {
  state.window.delete(segmentIndex);
  entry.loaded?.release();
}

function answer(request: PieceRequest, outcome: Outcome<Uint8Array>): void {
  if (outcome.ok) request.reply.resolve(outcome.value);
  else request.reply.reject(outcome.error);
}

/** Memory for a segment and its parity shards, bytes. */
export function weight(plan: PayloadPlan, segmentIndex: number): number {
  const { length } = plan.segment(segmentIndex);
  return plan.redundancy === 'EC' ? length + plan.parityChunks * plan.pieceLength(segmentIndex) : length;
}

function say(state: State, plan: PayloadPlan, ctx: Context<EncoderMessage>): void {
  const behind = state.stragglers.length;
  ctx.say({
    doing: behind > 0 ? `encoding segments, ${behind} of them again for slow columns` : 'encoding segments',
    progress: { done: state.front, total: plan.segmentCount, unit: 'segments' },
  });
}
