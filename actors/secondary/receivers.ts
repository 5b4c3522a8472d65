import { Retryable, toSealionError } from '#protocols/errors';
import type { Behaviour, Context, Ended, Outcome, Ref, Reply } from '#runtime/actors/types';
import type { Background } from '#runtime/load/background';
import type { InboundOffer } from '#runtime/peers/peers';
import { Repeats } from '#runtime/telemetry/repeats';
import type { ColumnId, ColumnRecord } from '../ledger/column-record.ts';
import type { ReceptionMessage } from '../messages.ts';
import { confirmColumn } from '../repair/confirm-column.ts';
import { type RestorePiece, restorer } from '../repair/restorer.ts';
import type { ApproverMessage } from './approver.ts';
import { eraser, pieceEraser } from './column/eraser.ts';
import { type CheckedTask, checkTask } from './column/task-reception.ts';
import { ColumnTurns } from './column/turns.ts';
import type { SecondaryPorts } from './ports.ts';
import { receiver, TASK_REFUSED, taskReceiver } from './receiver.ts';

export type ReceiversMessage =
  | ReceptionMessage
  /** From now on offers are left to other nodes: this one is about to stop. What is being received continues. */
  | { readonly type: 'drain' }
  | { readonly type: 'undrain' }
  | RestorePiece
  /** The caretaker has found a column that is no longer needed. The reply is false while the column is in use. */
  | {
      readonly type: 'discard-column';
      readonly record: ColumnRecord;
      readonly because: string;
      readonly reply: Reply<boolean>;
    }
  /** The same for pieces of a column of which there is no record: a crash has left them. */
  | {
      readonly type: 'discard-pieces';
      readonly column: ColumnId;
      /** Segments whose pieces were seen. */
      readonly segments: readonly number[];
      readonly because: string;
      readonly reply: Reply<boolean>;
    };

type Message =
  | ReceiversMessage
  | { readonly type: 'offer'; readonly inbound: InboundOffer }
  | { readonly type: 'receiver-ended'; readonly inbound: InboundOffer; readonly end: Ended }
  | {
      readonly type: 'task-checked';
      readonly request: ReceptionMessage;
      readonly outcome: Outcome<CheckedTask>;
    }
  | { readonly type: 'task-ended'; readonly request: ReceptionMessage; readonly end: Ended }
  | { readonly type: 'restorer-ended'; readonly column: ColumnId }
  | { readonly type: 'eraser-ended'; readonly reply: Reply<boolean>; readonly end: Ended }
  /** `over` has been aborted if the pull was to end. */
  | { readonly type: 'pull-ended'; readonly over: AbortSignal; readonly outcome: Outcome<void> };

export interface ReceiversOptions {
  readonly ports: SecondaryPorts;
  readonly approver: Ref<ApproverMessage>;
  /** Columns received at once over NATS; the gateway bounds the tasks that come over HTTP. */
  readonly limit: number;
  /** Delays offers of other SPs while our own clients are being served. */
  readonly background: Pick<Background, 'yieldToClients'>;
}

interface State {
  /** Running receivers. */
  open: number;
  readonly turns: ColumnTurns<Message>;
  /** Logs refused offers and tasks. */
  readonly refusals: Repeats;
  /** Ends the pulling of offers. */
  pulling: AbortController;
}

/** Maximum delay of an offer while clients are being served, ms; short, since the primary is waiting for us. */
const MAX_YIELD_MS = 100;
/** Redelivery delay of an offer that could not be accepted, or whose receiver failed without an answer, ms. */
const REDELIVER_MS = 5_000;

/**
 * Pulls the offers of other SPs and accepts their tasks over HTTP. A column has one receiver at a time, or several
 * for single pieces sent over HTTP (`ColumnTurns`).
 */
export function receivers(options: ReceiversOptions): Behaviour<ReceiversMessage, State> {
  const { ports, approver, limit, background } = options;
  const behaviour: Behaviour<Message, State> = {
    kind: 'receivers',
    start(ctx) {
      ctx.say({ doing: 'pulling offers', waitsFor: 'other storage providers' });
      return { open: 0, turns: new ColumnTurns(ctx), refusals: new Repeats(ctx.log), pulling: pull(ctx) };
    },

    async receive(state, message, ctx) {
      switch (message.type) {
        case 'offer':
          await take(state, message.inbound, ctx);
          break;
        case 'receiver-ended':
          state.open -= 1;
          // the offer was answered long ago, unless its receiver failed unexpectedly
          if (message.end.how === 'failed') await message.inbound.postpone(REDELIVER_MS);
          break;
        case 'receive-piece':
        case 'finish-column':
          // before the task reserves the column, since anybody can send one
          ctx.pipe(
            (signal) => checkTask(message.task, ports, signal),
            (outcome) => ({ type: 'task-checked', request: message, outcome }),
          );
          break;
        case 'task-checked':
          receive(state, message);
          break;
        case 'task-ended':
          state.open -= 1;
          // answered long ago, unless it was stopped before it started
          message.request.reply.reject(message.end.error ?? inFlight());
          if (message.request.type === 'receive-piece') state.turns.endPiece(message.request.task);
          break;
        case 'discard-column':
          discard(state, message.record, message.reply, eraser({ ...message, ports }));
          break;
        case 'discard-pieces':
          discard(state, message.column, message.reply, pieceEraser({ ...message, ports }));
          break;
        case 'restore-piece':
          writeBack(state, message);
          break;
        case 'restorer-ended':
          state.turns.endPiece(message.column);
          break;
        case 'eraser-ended': {
          const { end, reply } = message;
          if (end.error) reply.reject(end.error);
          else reply.resolve(true);
          break;
        }
        case 'drain':
          state.pulling.abort();
          break;
        case 'undrain':
          if (state.pulling.signal.aborted) state.pulling = pull(ctx);
          break;
        case 'pull-ended':
          if (message.over.aborted) break;
          // offers end only with us; anything else restarts the pull
          throw toSealionError(
            message.outcome.ok ? new Error('the stream of offers ended') : message.outcome.error,
          );
      }
      ctx.say({ doing: `columns being received: ${state.open}`, waitsFor: 'other storage providers' });
      return state;
    },
  };
  return behaviour;

  /** Pulls offers until this actor stops, or the controller that it returns is aborted. */
  function pull(ctx: Context<Message>): AbortController {
    const pulling = new AbortController();
    ctx.pipe(
      async (stopping) => {
        const signal = AbortSignal.any([stopping, pulling.signal]);
        for await (const inbound of ports.host.offers({ limit, signal })) {
          await background.yieldToClients(MAX_YIELD_MS, signal);
          if (!ctx.self.tell({ type: 'offer', inbound })) await inbound.postpone(REDELIVER_MS);
        }
      },
      (outcome) => ({ type: 'pull-ended', over: pulling.signal, outcome }),
    );
    return pulling;
  }

  /** A repeated offer replaces the previous one, which must stop first. */
  async function take(state: State, inbound: InboundOffer, ctx: Context<Message>): Promise<void> {
    const { turns, refusals } = state;
    const ended = (end: Ended): Message => ({ type: 'receiver-ended', inbound, end });
    if (turns.startWhole(inbound.offer, receiver({ inbound, ports, refusals }), ended)) {
      state.open += 1;
      return;
    }
    const stopped = turns.stopWhole(inbound.offer);
    if (!stopped) return await inbound.postpone(REDELIVER_MS);
    ctx.pipe(
      () => stopped,
      () => ({ type: 'offer', inbound }),
    );
  }

  function receive(state: State, { request, outcome }: Extract<Message, { type: 'task-checked' }>): void {
    const { turns, refusals } = state;
    if (!outcome.ok) {
      // the signer may be no SP at all, and creating wallets costs nothing
      refusals.warn('a task over HTTP', outcome.error, TASK_REFUSED);
      request.reply.reject(outcome.error);
      return;
    }
    const behaviour = taskReceiver({ message: request, checked: outcome.value, ports, approver, refusals });
    const ended = (end: Ended): Message => ({ type: 'task-ended', request, end });
    const started =
      request.type === 'receive-piece'
        ? turns.startPiece(request.task, request.task.segmentIndex, behaviour, ended)
        : turns.startWhole(request.task, behaviour, ended);
    if (started) state.open += 1;
    else request.reply.reject(inFlight());
  }

  /** Like received pieces, repaired ones may be written concurrently. */
  function writeBack({ turns }: State, message: RestorePiece): void {
    const { column, segmentIndex, reply } = message;
    const confirm = () => confirmColumn(message, ports.ledger, ports.pieces);
    const ended = (): Message => ({ type: 'restorer-ended', column });
    if (!turns.startPiece(column, segmentIndex, restorer({ message, ports, confirm }), ended)) {
      reply.reject(inFlight());
    }
  }

  function discard(
    { turns }: State,
    column: ColumnId,
    reply: Reply<boolean>,
    erasing: Behaviour<never, undefined>,
  ): void {
    if (!turns.startWhole(column, erasing, (end) => ({ type: 'eraser-ended', reply, end })))
      reply.resolve(false);
  }
}

function inFlight(): Retryable {
  return new Retryable({
    code: 'task-repeated',
    message: 'The same piece, or another one of its column, is already being processed.',
    advice: 'Repeat the request in a moment.',
    gatewayCode: 80002,
  });
}
