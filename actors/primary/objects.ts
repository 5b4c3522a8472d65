import { Retryable } from '#protocols/errors';
import type { JobContext } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import type { Behaviour, Context, Reply } from '#runtime/actors/types';
import { readJob } from '../job-log.ts';
import type { Note } from '../ledger/notes.ts';
import type { ObjectsMessage } from '../messages.ts';
import { sealedContent } from '../repair/content.ts';
import { type RestoreSegment, restorer } from '../repair/restorer.ts';
import type { JobLease } from './object/messages.ts';
import { type ObjectActorReport, ObjectActors } from './object-actors.ts';
import type { PrimaryPorts } from './ports.ts';

/** The messages of `objects`: requests of the gateway, leases from `jobs`, and reports of its own children. */
export type ObjectsInbox =
  | ObjectsMessage
  | { readonly type: 'lease'; readonly lease: JobLease }
  | DiscardSegments
  | GiveUp
  | RestoreSegment
  /** Jobs are given back at once, those with a client's request when it has been answered: the node is about to stop. */
  | { readonly type: 'drain' }
  /** Leases are accepted again. */
  | { readonly type: 'undrain' }
  | ObjectActorReport;

/**
 * The caretaker has found segments that are no longer needed. Answered with false when their job is in work, or has
 * changed.
 */
export interface DiscardSegments {
  readonly type: 'discard-segments';
  readonly note: Note;
  /** Number of events that the job had at that time; 0 for an unknown job. */
  readonly revision: number;
  readonly reply: Reply<boolean>;
}

/**
 * An operator does not want to wait for the deadline of a job: its object is rejected on chain as soon as no signed seal
 * can be included any more. Answered when that is in the journal.
 */
export interface GiveUp {
  readonly type: 'give-up';
  readonly job: JobId;
  readonly by: string;
  readonly reply: Reply<JobContext>;
}

/**
 * Supervises one object actor per object in work. Each is started by an upload or a lease, and stopped when it is idle.
 */
export function objects(ports: PrimaryPorts): Behaviour<ObjectsInbox, ObjectActors> {
  return {
    kind: 'objects',
    start: (ctx) => new ObjectActors(ports, ctx),

    receive(actors, message, ctx) {
      switch (message.type) {
        case 'upload':
          actors.deliver(message.request.job, message);
          break;
        case 'lease':
          actors.deliver(message.lease.job, message);
          break;
        case 'give-up':
          actors.deliver(message.job, { type: 'give-up', by: message.by, reply: message.reply });
          break;
        case 'progress':
          if (actors.isRunning(message.job)) actors.deliver(message.job, message);
          else
            readJob(message.job, ports.journal, ctx.signal).then(message.reply.resolve, message.reply.reject);
          break;
        case 'idle':
          actors.stopIdle(message);
          break;
        case 'restore-segment':
          writeBack(message, ctx);
          break;
        case 'discard-segments':
          actors.erase(message.note, message.revision, message.reply);
          break;
        case 'drain':
          actors.drain();
          break;
        case 'undrain':
          actors.undrain();
          break;
        case 'object-ended':
          actors.end(message.job, message.end);
      }
      ctx.say({ doing: `objects in work: ${actors.size}` });
      return actors;
    },

    stopped(actors) {
      actors?.close();
    },
  };

  /** Restores a segment, if it still belongs to the current version: an older one may be being deleted. */
  function writeBack(message: RestoreSegment, ctx: Context<ObjectsInbox>): void {
    const name = `restore/${message.restoration.key}`;
    if (ctx.child(name)) {
      message.reply.reject(restoreInWork(message.restoration.key));
      return;
    }
    const { chain, pieces } = ports;
    const { ledger } = ports.journal;
    const confirm = (signal: AbortSignal) => sealedContent(message.job, chain, signal);
    ctx.spawn(name, restorer({ message, ports: { ledger, pieces }, confirm }));
  }
}

function restoreInWork(key: string): Retryable {
  return new Retryable({ code: 'restore-in-work', message: `${key} is already being restored.` });
}
