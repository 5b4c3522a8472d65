import { z } from 'zod';
import { Cancelled, Terminal, toSealionError } from '#protocols/errors';
import { PRIMARY } from '#protocols/integrity/checksums';
import { formatJobId, type JobId } from '#protocols/job/identity';
import { captureResult } from '#runtime/actors/capture-result';
import type { Behaviour, Context, Outcome, Ref, Reply } from '#runtime/actors/types';
import type { Calls } from '#runtime/home/calls';
import type { PeerHost } from '#runtime/peers/peers';
import type { RepairMessage } from '../messages.ts';
import { ChecksumLists } from './checksum-lists.ts';
import { sealedContent } from './content.ts';
import { PieceServer } from './piece-server.ts';
import type { RepairPorts } from './ports.ts';
import { type Recovered, Recoverer } from './recover.ts';
import type { RestorePiece, RestoreSegment } from './restorer.ts';
import { VERIFY, type Verification } from './verification.ts';
import { keyOf, type Place, Verifier } from './verify.ts';
import { type TaskWork, WorkList } from './work-list.ts';

export interface RepairerOptions extends RepairPorts {
  readonly host: Pick<PeerHost, 'serveRecovery'>;
  /** Between the nodes of this SP, and the command line. */
  readonly calls: Pick<Calls, 'serve'>;
  /** The actors that own the restored pieces. */
  readonly objects: Ref<RestoreSegment>;
  readonly receivers: Ref<RestorePiece>;
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
  /** Since the start of this incarnation. */
  readonly counts: { recovered: number; repaired: number; lost: number; served: number };
}

/** Segments restored concurrently for readers, and parts of objects verified concurrently. */
const URGENT_AT_ONCE = 4;
const ROUTINE_AT_ONCE = 2;

/** Pause before a failed service is started again, ms. */
const SERVE_AGAIN_MS = 5_000;

const question = z.object({
  objectId: z.string().regex(/^[1-9][0-9]{0,77}$/),
  version: z.int().min(0).max(999_999_999),
  from: z.int().nonnegative(),
  repair: z.boolean(),
});

/**
 * Restores lost segments and pieces from other SPs, has their owners write them back, and serves stored pieces to
 * SPs that do the same. Everything written or served is verified against the chain.
 */
export function repairer(options: RepairerOptions): Behaviour<RepairerMessage, State> {
  const lists = new ChecksumLists(options);
  const recoverer = new Recoverer(options, lists);
  const pieceServer = new PieceServer(options, lists);
  const verifier = new Verifier({ ports: options, lists, recoverer, writeBack });

  const behaviour: Behaviour<Message, State> = {
    kind: 'repairer',
    start(ctx) {
      const state: State = {
        urgent: newList(URGENT_AT_ONCE),
        routine: newList(ROUTINE_AT_ONCE),
        counts: { recovered: 0, repaired: 0, lost: 0, served: 0 },
      };
      for (const service of services(state, ctx)) serve(service, ctx);
      say(state, ctx);
      return state;
    },

    receive(state, message, ctx) {
      switch (message.type) {
        case 'recover-segment':
          state.urgent.add(recovering(message, state), message.reply, ctx);
          break;
        case 'verify':
          state.routine.add(verifying(message, state), message.reply, ctx);
          break;
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

  /** Returns the bytes to those who wait for them first, then writes them back. */
  function recovering(
    { job, segmentIndex }: Extract<RepairMessage, { type: 'recover-segment' }>,
    { counts }: State,
  ) {
    return {
      name: `segment/${formatJobId(job)}/${segmentIndex}`,
      async run({ signal, say, answer }: TaskWork<Uint8Array>) {
        say({ doing: `restoring segment ${segmentIndex}`, waitsFor: 'its secondaries' });
        const content = await sealedContent(job, options.chain, signal);
        if (content.gvg.primarySpId !== options.spId) throw notOurs(job);
        const use = async (recovered: Recovered) => {
          counts.recovered += 1;
          answer(recovered.bytes);
          await writeBack(
            { job, role: PRIMARY, segmentIndex },
            recovered,
            'a reader found it missing',
            signal,
          );
          counts.repaired += 1;
        };
        await recoverer.segment(content, segmentIndex, use, signal);
      },
    };
  }

  function verifying({ job, from, repair }: Extract<RepairerMessage, { type: 'verify' }>, { counts }: State) {
    return {
      name: `verify/${formatJobId(job)}/${from}${repair ? '/repair' : ''}`,
      async run({ signal, say, answer }: TaskWork<Verification>) {
        const part = await verifier.part(job, { from, repair }, (doing) => say({ doing }), signal);
        for (const { state } of part.findings) {
          if (state === 'repaired') counts.repaired += 1;
          if (state === 'lost') counts.lost += 1;
        }
        answer(part);
      },
    };
  }

  async function verifyAsked(
    ctx: Context<Message>,
    asked: unknown,
    signal: AbortSignal,
  ): Promise<Verification> {
    const { objectId, version, from, repair } = question.parse(asked);
    const job = { objectId, version };
    return ctx.self.ask<Verification>((reply) => ({ type: 'verify', job, from, repair, reply }), { signal });
  }

  async function writeBack(
    place: Place,
    recovered: Recovered,
    because: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { job, role, segmentIndex } = place;
    const restoration = { key: keyOf(place), ...recovered, because };
    if (role === PRIMARY) {
      const ask = (reply: Reply<void>): RestoreSegment => ({
        type: 'restore-segment',
        job,
        restoration,
        reply,
      });
      return options.objects.ask<void>(ask, { signal });
    }
    const column = { job, redundancyIndex: role };
    const ask = (reply: Reply<void>): RestorePiece => ({
      type: 'restore-piece',
      column,
      segmentIndex,
      restoration,
      reply,
    });
    return options.receivers.ask<void>(ask, { signal });
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

function notOurs(job: JobId): Terminal {
  return new Terminal({
    code: 'not-a-holder',
    message: `This storage provider is not the primary of object ${formatJobId(job)}.`,
  });
}
