import { once } from 'node:events';
import type { Behaviour, Context, Outcome, Ref } from '#runtime/actors/types';
import type { Chain } from '#runtime/chain/chain';
import type { JobQueue } from '#runtime/jobs/job-queue';
import { type Holding, type Roles, roleLost } from '#runtime/jobs/roles';
import type { Journal } from '#runtime/journal/journal';
import type { Background } from '#runtime/load/background';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { Records } from '#runtime/records/records';
import type { DiscardSegments } from '../primary/objects.ts';
import type { RepairerMessage } from '../repair/repairer.ts';
import type { ReceiversMessage } from '../secondary/receivers.ts';
import { columnRound } from './column-round.ts';
import { jobRound } from './job-round.ts';
import { retentionRound } from './retention-round.ts';
import type { Round } from './round.ts';
import { scrubRound } from './scrub-round.ts';
import { spaceRound } from './space-round.ts';
import { sweepRound } from './sweep-round.ts';
import type { CaretakerTiming } from './timing.ts';
import { uploadRound } from './upload-round.ts';

export interface CaretakerOptions {
  readonly spId: number;
  readonly roles: Roles;
  readonly journal: Journal;
  readonly records: Pick<Records, 'job'>;
  readonly queue: JobQueue;
  readonly pieces: PieceStore;
  readonly chain: Chain;
  readonly receivers: Ref<ReceiversMessage>;
  readonly repairer: Ref<RepairerMessage>;
  /** How fast stored bytes are verified, bytes per second. */
  readonly scrubRate: number;
  readonly objects: Ref<DiscardSegments>;
  /** Delays rounds while clients are being served. */
  readonly background: Pick<Background, 'yieldToClients'>;
  readonly timing: CaretakerTiming;
}

/** Maximum delay of a round while clients are being served, ms. */
const MAX_YIELD_MS = 10_000;

/** Held by one node of the SP at a time. */
export const CARETAKER_ROLE = 'caretaker';

/** A stream of the home plane was lost and created again: its former content is looked for at once. */
export type CaretakerMessage = { readonly type: 'lost'; readonly what: 'jobs' | 'pieces' };

type Message =
  | CaretakerMessage
  | { readonly type: 'role'; readonly outcome: Outcome<Holding> }
  | { readonly type: 'role-lost' }
  | { readonly type: 'due'; readonly round: Round }
  | { readonly type: 'done'; readonly round: Round; readonly outcome: Outcome<string | undefined> };

interface State {
  holding?: Holding;
  /** Ends with this incarnation and with the role. */
  acting?: AbortSignal;
  readonly rounds: Map<Round, Progress>;
}

interface Progress {
  /** Of the timer for the next start; absent while the round is running. */
  cancel?: () => void;
  /** Start again as soon as the current run has ended. */
  again: boolean;
}

/**
 * Finds what was left behind and asks its owner to act: open jobs without a queue entry, uploads past their
 * deadline, columns and payloads that are no longer needed, orphan chunks, jobs that ended long ago, lost or
 * damaged pieces. It decides nothing about a job and deletes no piece itself.
 */
export function caretaker(options: CaretakerOptions): Behaviour<CaretakerMessage, State> {
  const behaviour: Behaviour<Message, State> = {
    kind: 'caretaker',
    start(ctx) {
      ctx.say({ doing: 'standing by', waitsFor: `the role ${CARETAKER_ROLE}` });
      ctx.pipe(
        (signal) => options.roles.hold(CARETAKER_ROLE, { signal }),
        (outcome) => ({ type: 'role', outcome }),
      );
      return { rounds: new Map() };
    },

    receive(state, message, ctx) {
      switch (message.type) {
        case 'role':
          if (!message.outcome.ok) throw message.outcome.error;
          state.holding = message.outcome.value;
          state.acting = AbortSignal.any([ctx.signal, state.holding.signal]);
          begin(state, state.holding, ctx);
          break;
        case 'role-lost':
          throw roleLost(CARETAKER_ROLE);
        case 'due':
          run(state, message.round, ctx);
          break;
        case 'done':
          finish(state, message.round, message.outcome, ctx);
          break;
        case 'lost':
          for (const round of state.rounds.keys()) {
            if (round.heals === message.what) runAtOnce(state, round, ctx);
          }
      }
      return state;
    },

    async stopped(state) {
      await state?.holding?.release();
    },
  };
  return behaviour;

  function begin(state: State, holding: Holding, ctx: Context<Message>): void {
    ctx.pipe(
      async (signal) => {
        if (!holding.signal.aborted) await once(holding.signal, 'abort', { signal });
      },
      () => ({ type: 'role-lost' }),
    );
    const rounds = [
      jobRound(options, ctx.log),
      uploadRound(options, ctx.log),
      columnRound(options),
      spaceRound(options, ctx.log),
      sweepRound(options, ctx.log),
      retentionRound(options, ctx.log),
      scrubRound({ ...options, ledger: options.journal.ledger }, ctx.log),
    ];
    for (const round of rounds) {
      state.rounds.set(round, { again: false, cancel: ctx.after(0, { type: 'due', round }) });
    }
  }

  function run(state: State, round: Round, ctx: Context<Message>): void {
    const { acting } = state;
    const progress = state.rounds.get(round);
    if (!acting || !progress) return;
    delete progress.cancel;
    progress.again = false;
    ctx.say({ doing: round.doing });
    ctx.pipe(
      async () => {
        await options.background.yieldToClients(MAX_YIELD_MS, acting);
        return round.run(acting);
      },
      (outcome) => ({ type: 'done', round, outcome }),
    );
  }

  /** Starts a round at once; one that is running is repeated, since it may already have passed what was lost. */
  function runAtOnce(state: State, round: Round, ctx: Context<Message>): void {
    const progress = state.rounds.get(round);
    if (!progress) return;
    round.startOver?.();
    if (!progress.cancel) {
      progress.again = true;
      return;
    }
    progress.cancel();
    run(state, round, ctx);
  }

  function finish(
    state: State,
    round: Round,
    outcome: Outcome<string | undefined>,
    ctx: Context<Message>,
  ): void {
    if (!outcome.ok) ctx.log.warn({ error: outcome.error }, `${round.doing} failed`);
    else if (outcome.value) ctx.log.info({}, outcome.value);
    ctx.say({ doing: 'idle', waitsFor: 'the next round' });
    const progress = state.rounds.get(round);
    if (progress?.again) run(state, round, ctx);
    else if (progress) progress.cancel = ctx.after(round.everyMs, { type: 'due', round });
  }
}
