import { Retryable, type SealionError, Terminal, toSealionError } from '#protocols/errors';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Behaviour, Context, Ended, Ref, Reply } from '#runtime/actors/types';
import type { Lease } from '#runtime/jobs/job-queue';
import { readJob } from '../job-log.ts';
import type { Note } from '../ledger/notes.ts';
import type { ObjectsMessage } from '../messages.ts';
import { sealedContent } from '../repair/content.ts';
import { type RestoreSegment, restorer } from '../repair/restorer.ts';
import type { Idle, JobLease, ObjectMessage, ObjectOrder } from './object/messages.ts';
import { objectActor } from './object/object.ts';
import { segmentEraser } from './object/segment-eraser.ts';
import { redeliverMs } from './object/work.ts';
import type { PrimaryPorts } from './ports.ts';

/** The messages of `objects`: requests of the gateway, leases from `jobs`, and reports of its own children. */
export type ObjectsInbox =
  | ObjectsMessage
  | { readonly type: 'lease'; readonly lease: JobLease }
  | DiscardSegments
  | Idle
  | RestoreSegment
  | { readonly type: 'object-ended'; readonly job: JobId; readonly end: Ended };

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
 * The bookkeeping for one object's actor. It ensures that no order and no client is lost between this actor and its
 * successor:
 *
 * - An actor may report itself idle while another order is already in its mailbox. Its report therefore carries the
 *   number of orders that it has handled. Only if that equals `sent` is no order in transit, and the actor may be
 *   stopped.
 * - An actor that is being stopped accepts no messages, and its successor cannot start before it has ended, since both
 *   have the same name and the same job. Orders that arrive in between are kept in `waiting`, for the successor.
 * - An actor may end at any point, also by a failure, and then answers nobody. Each client's reply is therefore kept in
 *   `openReplies` until the actor has used it; those that are left when the actor has ended are rejected.
 * - An actor that fails may still hold a lease. `lease` is therefore returned to the work queue when the actor has
 *   ended; if the actor has done so itself, this has no effect.
 */
interface Child {
  readonly ref: Ref<ObjectMessage>;
  /** Number of orders put into its mailbox. */
  sent: number;
  /** Replies to clients that it has not used yet. */
  readonly openReplies: Set<Reply<never>>;
  /** The last lease that it was given. */
  lease?: JobLease;
  /** Orders for its successor; present only while it is being stopped. */
  waiting?: ObjectOrder[];
}

type Children = Map<string, Child>;

/** Maximum number of orders that wait for one actor to stop. */
const MAX_WAITING = 64;
/** Delay with which a lease is returned that could not be accepted, ms. */
const REFUSED_LEASE_MS = 1_000;

/**
 * Supervises one object actor per object in work. Each is started by an upload or a lease, and stopped when it is idle.
 */
export function objects(ports: PrimaryPorts): Behaviour<ObjectsInbox, Children> {
  return {
    kind: 'objects',
    start: () => new Map(),

    receive(children, message, ctx) {
      switch (message.type) {
        case 'upload':
          deliver(children, message.request.job, message, ctx);
          break;
        case 'lease':
          deliver(children, message.lease.job, message, ctx);
          break;
        case 'progress': {
          const child = children.get(formatJobId(message.job));
          if (child && !child.waiting) deliver(children, message.job, message, ctx);
          else
            readJob(message.job, ports.journal, ctx.signal).then(message.reply.resolve, message.reply.reject);
          break;
        }
        case 'idle': {
          const child = children.get(formatJobId(message.job));
          if (!child || child.waiting || child.sent !== message.handled) break;
          child.waiting = [];
          void ctx.stop(child.ref as Ref<never>);
          break;
        }
        case 'restore-segment':
          writeBack(message, ctx);
          break;
        case 'discard-segments':
          discard(children, message, ctx);
          break;
        case 'object-ended':
          onChildEnded(children, message.job, message.end, ctx);
      }
      ctx.say({ doing: `objects in work: ${children.size}` });
      return children;
    },

    stopped(children, ctx) {
      for (const { openReplies, waiting = [] } of children?.values() ?? []) {
        for (const reply of openReplies) reply.reject(ownerStopped());
        for (const order of waiting) refuse(order, ctx);
      }
    },
  };

  /** Passes an order to the actor of the job, which is started if there is none, or keeps it for the successor. */
  function deliver(children: Children, job: JobId, order: ObjectOrder, ctx: Context<ObjectsInbox>): void {
    const child = children.get(formatJobId(job)) ?? spawn(children, job, ctx);
    if (child.waiting && child.waiting.length < MAX_WAITING) {
      child.waiting.push(order);
    } else if (!child.waiting && child.ref.tell(withTrackedReply(child, order))) {
      child.sent += 1;
      if (order.type === 'lease') child.lease = order.lease;
    } else {
      refuse(order, ctx);
    }
  }

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

  function spawn(children: Children, job: JobId, ctx: Context<ObjectsInbox>): Child {
    const name = formatJobId(job);
    const ref = ctx.spawn(`object/${name}`, objectActor({ job, ports, parent: ctx.self }));
    ctx.watch(ref, (end) => ({ type: 'object-ended', job, end }));
    const child: Child = { ref, sent: 0, openReplies: new Set() };
    children.set(name, child);
    return child;
  }

  /**
   * Runs the eraser in place of the object actor; orders that arrive for the job in the meantime wait for the actor
   * after it.
   */
  function discard(children: Children, message: DiscardSegments, ctx: Context<ObjectsInbox>): void {
    const { note, revision, reply } = message;
    const { job } = note;
    const name = formatJobId(job);
    if (children.has(name)) {
      reply.resolve(false);
      return;
    }
    const ref: Ref<never> = ctx.spawn(`object/${name}`, segmentEraser({ note, revision, ports }));
    children.set(name, { ref, sent: 0, openReplies: new Set(), waiting: [] });
    ctx.watch(ref, (end) => {
      if (!end.error) reply.resolve(true);
      else if (end.error.code === 'segments-in-use') reply.resolve(false);
      else reply.reject(end.error);
      return { type: 'object-ended', job, end };
    });
  }

  /**
   * Rejects the replies and returns the lease that the actor has left, and starts its successor if there are orders for
   * it.
   */
  function onChildEnded(children: Children, job: JobId, { error }: Ended, ctx: Context<ObjectsInbox>): void {
    const name = formatJobId(job);
    const { openReplies = [], lease, waiting = [] } = children.get(name) ?? {};
    children.delete(name);
    for (const reply of openReplies) reply.reject(clientError(job, error));
    // An actor that failed at its start has not returned the lease; if it has, this has no effect.
    if (lease) giveBack(lease, redeliverMs(lease), ctx);
    for (const order of waiting) deliver(children, job, order, ctx);
  }
}

/** Tracks the reply of an order, so that it is rejected at the latest when the actor ends: no client waits forever. */
function withTrackedReply(child: Child, order: ObjectOrder): ObjectOrder {
  switch (order.type) {
    case 'upload':
      return { ...order, reply: trackReply(child, order.reply) };
    case 'progress':
      return { ...order, reply: trackReply(child, order.reply) };
    case 'lease':
      return order;
  }
}

function trackReply<R>(child: Child, reply: Reply<R>): Reply<R> {
  const tracked: Reply<R> = {
    resolve(value) {
      child.openReplies.delete(tracked);
      reply.resolve(value);
    },
    reject(error) {
      child.openReplies.delete(tracked);
      reply.reject(error);
    },
  };
  child.openReplies.add(tracked);
  return tracked;
}

function refuse(order: ObjectOrder, ctx: Context<ObjectsInbox>): void {
  if (order.type === 'lease') giveBack(order.lease, REFUSED_LEASE_MS, ctx);
  else order.reply.reject(ownerStopped());
}

/** A lease that cannot be returned expires by itself. */
function giveBack(lease: Lease, delayMs: number, ctx: Context<ObjectsInbox>): void {
  lease.postpone(delayMs).catch((thrown: unknown) => {
    ctx.log.warn(
      { error: toSealionError(thrown), job: formatJobId(lease.job) },
      'could not return a lease to the work queue',
    );
  });
}

function restoreInWork(key: string): Retryable {
  return new Retryable({ code: 'restore-in-work', message: `${key} is already being restored.` });
}

/** The error for a client whose object's actor has ended. */
function clientError(job: JobId, error: SealionError | undefined): SealionError {
  if (!error || error.kind === 'cancelled') return ownerStopped();
  if (error.code !== 'journal-fenced') return error;
  return new Terminal({
    code: 'upload-in-progress',
    message: `Another node has taken over object ${formatJobId(job)}.`,
    advice: 'Ask for the progress of its upload.',
    gatewayCode: 110003,
    cause: error,
  });
}

function ownerStopped(): Retryable {
  return new Retryable({
    code: 'owner-stopped',
    message: 'The actor that worked on the object has stopped.',
    advice: 'Try again.',
    gatewayCode: 110001,
  });
}
