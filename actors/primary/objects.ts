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

/** What `objects` hears: the gateway's requests, leases from `jobs`, and its own children. */
export type ObjectsInbox =
  | ObjectsMessage
  | { readonly type: 'lease'; readonly lease: JobLease }
  | DiscardSegments
  | Idle
  | RestoreSegment
  | { readonly type: 'object-ended'; readonly job: JobId; readonly end: Ended };

/** The caretaker has found segments that are no longer needed. False: their job is in work, or has changed. */
export interface DiscardSegments {
  readonly type: 'discard-segments';
  readonly note: Note;
  /** Events of the job at that time; 0 for an unknown one. */
  readonly revision: number;
  readonly reply: Reply<boolean>;
}

/**
 * What is remembered of one object's actor, so that no order and no client is lost between it and the next one:
 *
 * - An actor reports itself idle while an order is already in its mailbox. Its report carries how many orders it has
 *   handled; only when that is as many as were `sent` is there nothing on the way, and it may be stopped.
 * - An actor that is being stopped takes no messages, and its successor cannot start before it has ended, since both
 *   have the same name and the same job. Orders that come in between stay in `waiting`, for the successor.
 * - An actor may end at any point, also by a failure, and then answers nobody. Each client's reply is therefore in
 *   `openReplies` until it is settled; those that are left are rejected when the actor has ended.
 */
interface Child {
  readonly ref: Ref<ObjectMessage>;
  /** Orders put into its mailbox. */
  sent: number;
  /** Replies to clients that it has not settled yet. */
  readonly openReplies: Set<Reply<never>>;
  /** The lease that it was given last, to be given back should it end without having done so. */
  lease?: JobLease;
  /** Present once it is being stopped: orders for its successor. */
  waiting?: ObjectOrder[];
}

type Children = Map<string, Child>;

/** Orders that may wait for one object's actor to stop. */
const MAX_WAITING = 64;
/** How soon a lease comes again for which there was no place; ms. */
const REFUSED_LEASE_MS = 1_000;

/** Supervises one object actor per object in work, started by an upload or a lease, stopped when it is idle. */
export function objects(ports: PrimaryPorts): Behaviour<ObjectsInbox, Children> {
  return {
    kind: 'objects',
    start: () => new Map(),

    receive(children, message, ctx) {
      switch (message.type) {
        case 'upload':
          give(children, message.request.job, message, ctx);
          break;
        case 'lease':
          give(children, message.lease.job, message, ctx);
          break;
        case 'progress': {
          const child = children.get(formatJobId(message.job));
          if (child && !child.waiting) give(children, message.job, message, ctx);
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

  /** Gives the order to the job's actor, which is started for it if there is none, or keeps it for its successor. */
  function give(children: Children, job: JobId, order: ObjectOrder, ctx: Context<ObjectsInbox>): void {
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

  /** A version that is no longer what readers get stays as it is: somebody may be removing it. */
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

  /** The eraser takes the actor's place; orders that come for the job meanwhile wait for the actor after it. */
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

  /** Settles what the actor has left open, and starts its successor when there are orders for it. */
  function onChildEnded(children: Children, job: JobId, { error }: Ended, ctx: Context<ObjectsInbox>): void {
    const name = formatJobId(job);
    const { openReplies = [], lease, waiting = [] } = children.get(name) ?? {};
    children.delete(name);
    for (const reply of openReplies) reply.reject(clientError(job, error));
    // An actor that failed at its start has not given it back; after one that has, this does nothing.
    if (lease) giveBack(lease, redeliverMs(lease), ctx);
    for (const order of waiting) give(children, job, order, ctx);
  }
}

/** The order with a reply that is settled with the child's end at the latest: no client waits for ever. */
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

/** A lease that cannot be given back runs out by itself. */
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

/** What the end of its owner means for a client. */
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
