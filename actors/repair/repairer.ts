import { Cancelled, toSealionError } from '#protocols/errors';
import type { JobId } from '#protocols/job/identity';
import { captureResult } from '#runtime/actors/capture-result';
import type { Behaviour, Context, Outcome, Reply } from '#runtime/actors/types';
import type { Calls } from '#runtime/home/calls';
import type { PeerHost } from '#runtime/peers/peers';
import type { RepairMessage } from '../messages.ts';
import { ChecksumLists } from './checksum-lists.ts';
import { PieceServer } from './piece-server.ts';
import type { RepairPorts } from './ports.ts';
import { Recoverer } from './recover.ts';
import { type RepairCounts, RepairTasks } from './tasks.ts';
import { VERIFY, type Verification, verifyQuestion } from './verification.ts';
import { WorkList } from './work-list.ts';
import type { Owners } from './write-back.ts';

export interface RepairerOptions extends RepairPorts, Owners {
  readonly host: Pick<PeerHost, 'serveRecovery'>;
  /** Between the nodes of this SP, and the command line. */
  readonly calls: Pick<Calls, 'serve'>;
}

/** Messages to the repairer: from the gateway, and from the caretaker or a command that verifies an object. */
export type RepairerMessage =
  | RepairMessage
  | {
      readonly type: 'verify';
      readonly job: JobId;
      /** The first segment of the part. */
      readonly from: number;
      readonly repair: boolean;
      readonly reply: Reply<Verification>;
    };

type Message =
  | RepairerMessage
  | {
      readonly type: 'task-ended';
      readonly list: WorkList<Message>;
      readonly name: string;
      readonly error: unknown;
    }
  | { readonly type: 'piece-served'; readonly outcome: Outcome<void> }
  | { readonly type: 'serve'; readonly service: Service }
  | { readonly type: 'serving-ended'; readonly service: Service; readonly outcome: Outcome<void> };

/** A request subject that is served as long as the repairer runs. */
interface Service {
  readonly what: string;
  run(signal: AbortSignal): Promise<void>;
}

interface State {
  /** For waiting readers; background work of rounds and commands has its own list. */
  readonly urgent: WorkList<Message>;
  readonly routine: WorkList<Message>;
  readonly tasks: RepairTasks;
  readonly counts: RepairCounts;
}

/** Segments restored concurrently for readers, and parts of objects verified concurrently. */
const URGENT_AT_ONCE = 4;
const ROUTINE_AT_ONCE = 2;

/** Pause before a failed service is started again, ms. */
const SERVE_AGAIN_MS = 5_000;

/**
 * Restores lost segments and pieces from other SPs, has their owners write them back, and serves stored pieces to
 * SPs that do the same. Everything written or served is verified against the chain.
 */
export function repairer(options: RepairerOptions): Behaviour<RepairerMessage, State> {
  const lists = new ChecksumLists(options);
  const recoverer = new Recoverer(options, lists);
  const pieceServer = new PieceServer(options, lists);
  const parts = { ports: options, lists, recoverer, owners: options };

  const behaviour: Behaviour<Message, State> = {
    kind: 'repairer',
    start(ctx) {
      const counts = { recovered: 0, repaired: 0, lost: 0, served: 0 };
      const state: State = {
        urgent: newList(URGENT_AT_ONCE),
        routine: newList(ROUTINE_AT_ONCE),
        tasks: new RepairTasks(parts, counts),
        counts,
      };
      state.urgent.watch(options.sizes, 'waiting_repairs');
      state.routine.watch(options.sizes, 'waiting_checks');
      for (const service of services(state, ctx)) serve(service, ctx);
      say(state, ctx);
      return state;
    },

    receive(state, message, ctx) {
      switch (message.type) {
        case 'recover-segment':
          state.urgent.add(state.tasks.recovery(message), message.reply, ctx);
          break;
        case 'verify': {
          const { job, from, repair, reply } = message;
          state.routine.add(state.tasks.verification(job, from, repair), reply, ctx);
          break;
        }
        case 'serve-piece':
          ctx.pipe(
            (signal) => captureResult(message.reply, pieceServer.serveTask(message.task, signal)),
            (outcome) => ({ type: 'piece-served', outcome }),
          );
          break;
        case 'piece-served':
          state.counts.served += 1;
          break;
        case 'task-ended':
          message.list.end(message.name, message.error, ctx);
          break;
        case 'serve':
          serve(message.service, ctx);
          break;
        case 'serving-ended':
          serveAgain(message.service, message.outcome, ctx);
      }
      say(state, ctx);
      return state;
    },

    stopped(state) {
      const stopped = new Cancelled({ code: 'repairer-stopped', message: 'The repairer has stopped.' });
      state?.urgent.close(stopped);
      state?.routine.close(stopped);
    },
  };
  return behaviour;

  function services({ counts }: State, ctx: Context<Message>): readonly Service[] {
    const handOver: Parameters<PeerHost['serveRecovery']>[0] = async (fetch, signal) => {
      const bytes = await pieceServer.serveRange(fetch, signal);
      counts.served += 1;
      return bytes;
    };
    return [
      { what: 'fetches of other SPs', run: (signal) => options.host.serveRecovery(handOver, { signal }) },
      {
        what: 'calls to verify',
        run: (signal) =>
          options.calls.serve(VERIFY, (asked, over) => verifyAsked(ctx, asked, over), { signal }),
      },
    ];
  }

  function serve(service: Service, ctx: Context<Message>): void {
    ctx.pipe(
      (signal) => service.run(signal),
      (outcome) => ({ type: 'serving-ended', service, outcome }),
    );
  }

  /** A service that cannot run now, for example without a NATS permission, must not prevent repairs. */
  function serveAgain(service: Service, outcome: Outcome<void>, ctx: Context<Message>): void {
    const error = outcome.ok ? new Error('they have ended') : outcome.error;
    ctx.log.error({ error: toSealionError(error) }, `cannot answer ${service.what} at the moment`);
    ctx.after(SERVE_AGAIN_MS, { type: 'serve', service });
  }

  async function verifyAsked(
    ctx: Context<Message>,
    asked: unknown,
    signal: AbortSignal,
  ): Promise<Verification> {
    const { objectId, version, from, repair } = verifyQuestion.parse(asked);
    const job = { objectId, version };
    return ctx.self.ask<Verification>((reply) => ({ type: 'verify', job, from, repair, reply }), { signal });
  }
}

function newList(limit: number): WorkList<Message> {
  return new WorkList<Message>(limit, (list, name, error) => ({ type: 'task-ended', list, name, error }));
}

function say({ urgent, routine, counts }: State, ctx: Context<Message>): void {
  const { repaired, lost, served } = counts;
  const done = `repaired ${repaired}, not repairable ${lost}, sent to other SPs ${served}`;
  const running = urgent.running + routine.running;
  ctx.say(
    running > 0
      ? { doing: `repairs and checks in progress: ${running} (so far ${done})` }
      : { doing: `idle (so far ${done})`, waitsFor: 'a lost or damaged piece' },
  );
}
