import { Retryable, toSealionError } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
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
import type { SecondaryPorts } from './ports.ts';
import { receiver, TASK_REFUSED, taskReceiver } from './receiver.ts';

export type ReceiversMessage =
  | ReceptionMessage
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
      readonly message: ReceptionMessage;
      readonly outcome: Outcome<CheckedTask>;
    }
  | { readonly type: 'task-ended'; readonly message: ReceptionMessage; readonly end: Ended }
  | { readonly type: 'restorer-ended'; readonly column: string }
  | { readonly type: 'eraser-ended'; readonly reply: Reply<boolean>; readonly end: Ended }
  | { readonly type: 'pull-ended'; readonly outcome: Outcome<void> };

export interface ReceiversOptions {
  readonly ports: SecondaryPorts;
  readonly approver: Ref<ApproverMessage>;
  /** Columns received at once over NATS; the gateway bounds the tasks that come over HTTP. */
  readonly limit: number;
  /** Our own clients come before other SPs. */
  readonly background: Pick<Background, 'turn'>;
}

interface State {
  /** Running receivers. */
  open: number;
  /** Pieces being received over HTTP or restored by a repair, by column. */
  readonly pieces: Map<string, number>;
  /** For what others send that is refused. */
  readonly refusals: Repeats;
}

/** How long each offer waits for a moment without clients: its primary waits for us; ms. */
const PATIENCE_MS = 100;
/** Redelivery delay of an offer that could not be accepted, or whose receiver failed without an answer, ms. */
const REDELIVER_MS = 5_000;

/**
 * Pulls the offers of other SPs and accepts their tasks over HTTP. A column has one receiver at a time, or several
 * for single pieces sent over HTTP.
 */
export function receivers(options: ReceiversOptions): Behaviour<ReceiversMessage, State> {
  const { ports, approver, limit, background } = options;
  const behaviour: Behaviour<Message, State> = {
    kind: 'receivers',
    start(ctx) {
      ctx.say({ doing: 'pulling offers', waitsFor: 'other storage providers' });
      ctx.pipe(
        async (signal) => {
          for await (const inbound of ports.host.offers({ limit, signal })) {
            await background.turn(PATIENCE_MS, signal);
            if (!ctx.self.tell({ type: 'offer', inbound })) await inbound.postpone(REDELIVER_MS);
          }
        },
        (outcome) => ({ type: 'pull-ended', outcome }),
      );
      return { open: 0, pieces: new Map(), refusals: new Repeats(ctx.log) };
    },

    async receive(state, message, ctx) {
      switch (message.type) {
        case 'offer':
          if (state.pieces.has(nameOf(message.inbound.offer))) await message.inbound.postpone(REDELIVER_MS);
          else if (take(state, message.inbound, ctx)) state.open += 1;
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
            (outcome) => ({ type: 'task-checked', message, outcome }),
          );
          break;
        case 'task-checked':
          receive(state, message, ctx);
          break;
        case 'task-ended':
          endTask(state, message);
          break;
        case 'discard-column':
          discard(state, message.record, message.reply, eraser({ ...message, ports }), ctx);
          break;
        case 'discard-pieces':
          discard(state, message.column, message.reply, pieceEraser({ ...message, ports }), ctx);
          break;
        case 'restore-piece':
          writeBack(state, message, ctx);
          break;
        case 'restorer-ended':
          endPiece(state, message.column);
          break;
        case 'eraser-ended': {
          const { end, reply } = message;
          if (end.error) reply.reject(end.error);
          else reply.resolve(true);
          break;
        }
        case 'pull-ended':
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

  /** A repeated offer replaces the previous one. @returns false when the earlier one must stop first */
  function take({ refusals }: State, inbound: InboundOffer, ctx: Context<Message>): boolean {
    const name = nameOf(inbound.offer);
    const earlier = ctx.child<never>(name);
    if (earlier) {
      ctx.pipe(
        () => ctx.stop(earlier),
        () => ({ type: 'offer', inbound }),
      );
      return false;
    }
    const ref: Ref<never> = ctx.spawn(name, receiver({ inbound, ports, refusals }));
    ctx.watch(ref, (end) => ({ type: 'receiver-ended', inbound, end }));
    return true;
  }

  /** Pieces of a column may be received concurrently; everything else needs exclusive access to the column. */
  function receive(
    state: State,
    { message, outcome }: Extract<Message, { type: 'task-checked' }>,
    ctx: Context<Message>,
  ): void {
    if (!outcome.ok) {
      // the signer may be no SP at all, and creating wallets costs nothing
      state.refusals.warn('a task over HTTP', outcome.error, TASK_REFUSED);
      message.reply.reject(outcome.error);
      return;
    }
    const column = nameOf(message.task);
    const isPiece = message.type === 'receive-piece';
    const name = isPiece ? `${column}/${message.task.segmentIndex}` : column;
    const pieces = state.pieces.get(column) ?? 0;
    if (ctx.child(column) || ctx.child(name) || (!isPiece && pieces > 0)) {
      message.reply.reject(inFlight());
      return;
    }
    const ref: Ref<never> = ctx.spawn(
      name,
      taskReceiver({ message, checked: outcome.value, ports, approver, refusals: state.refusals }),
    );
    ctx.watch(ref, (end) => ({ type: 'task-ended', message, end }));
    state.open += 1;
    if (isPiece) state.pieces.set(column, pieces + 1);
  }

  function endTask(state: State, { message, end }: Extract<Message, { type: 'task-ended' }>): void {
    state.open -= 1;
    // answered long ago, unless it was stopped before it started
    message.reply.reject(end.error ?? inFlight());
    if (message.type === 'receive-piece') endPiece(state, nameOf(message.task));
  }

  function endPiece(state: State, column: string): void {
    const pieces = (state.pieces.get(column) ?? 1) - 1;
    if (pieces > 0) state.pieces.set(column, pieces);
    else state.pieces.delete(column);
  }

  /** Like received pieces, repaired ones may be written concurrently. */
  function writeBack(state: State, message: RestorePiece, ctx: Context<Message>): void {
    const column = nameOf(message.column);
    const name = `${column}/${message.segmentIndex}`;
    if (ctx.child(column) || ctx.child(name)) {
      message.reply.reject(inFlight());
      return;
    }
    const confirm = () => confirmColumn(message, ports.ledger, ports.pieces);
    const ref: Ref<never> = ctx.spawn(name, restorer({ message, ports, confirm }));
    ctx.watch(ref, () => ({ type: 'restorer-ended', column }));
    state.pieces.set(column, (state.pieces.get(column) ?? 0) + 1);
  }

  /** In the receiver's place. */
  function discard(
    state: State,
    column: ColumnId,
    reply: Reply<boolean>,
    erasing: Behaviour<never, undefined>,
    ctx: Context<Message>,
  ): void {
    const name = nameOf(column);
    if (ctx.child(name) || state.pieces.has(name)) {
      reply.resolve(false);
      return;
    }
    const ref: Ref<never> = ctx.spawn(name, erasing);
    ctx.watch(ref, (end) => ({ type: 'eraser-ended', reply, end }));
  }
}

function nameOf({ job, redundancyIndex }: ColumnId): string {
  return `receiver/${formatJobId(job)}/${redundancyIndex}`;
}

function inFlight(): Retryable {
  return new Retryable({
    code: 'task-repeated',
    message: 'The same piece, or another one of its column, is already being processed.',
    advice: 'Repeat the request in a moment.',
    gatewayCode: 80002,
  });
}
