import { Retryable, type SealionError, Terminal, toSealionError } from '#protocols/errors';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Context, Ended, Ref, Reply } from '#runtime/actors/types';
import type { Lease } from '#runtime/jobs/job-queue';
import type { Logger } from '#runtime/telemetry/logger';
import type { Note } from '../ledger/notes.ts';
import type { Idle, JobLease, ObjectMessage, ObjectOrder } from './object/messages.ts';
import { objectActor } from './object/object.ts';
import { segmentEraser } from './object/segment-eraser.ts';
import { redeliverMs } from './object/work.ts';
import type { PrimaryPorts } from './ports.ts';

/** What the owner of the actors hears of them, and passes on to `stopIdle` and `end`. */
export type ObjectActorReport =
  | Idle
  | { readonly type: 'object-ended'; readonly job: JobId; readonly end: Ended };

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

/** Maximum number of orders that wait for one actor to stop. */
const MAX_WAITING = 64;
/** Delay with which a lease is returned that could not be accepted, ms. */
const REFUSED_LEASE_MS = 1_000;

/** The object actors of a node, by job. They are children of the actor that owns this. */
export class ObjectActors {
  readonly #ports: PrimaryPorts;
  readonly #ctx: Context<ObjectActorReport>;
  readonly #children = new Map<string, Child>();
  #isDraining = false;

  constructor(ports: PrimaryPorts, ctx: Context<ObjectActorReport>) {
    this.#ports = ports;
    this.#ctx = ctx;
  }

  get size(): number {
    return this.#children.size;
  }

  /** Whether a job has an actor that accepts orders. */
  isRunning(job: JobId): boolean {
    const child = this.#children.get(formatJobId(job));
    return child !== undefined && child.waiting === undefined;
  }

  /** Passes an order to the actor of the job, which is started if there is none, or keeps it for the successor. */
  deliver(job: JobId, order: ObjectOrder): void {
    if (this.#isDraining && order.type === 'lease') {
      giveBack(order.lease, 0, this.#ctx.log);
      return;
    }
    const child = this.#children.get(formatJobId(job)) ?? this.#spawn(job);
    if (child.waiting && child.waiting.length < MAX_WAITING) {
      child.waiting.push(order);
    } else if (!child.waiting && child.ref.tell(this.#withTrackedReply(child, order))) {
      child.sent += 1;
      if (order.type === 'lease') child.lease = order.lease;
    } else {
      refuse(order, this.#ctx.log);
    }
  }

  /** Stops an actor that has reported itself idle, unless an order is in transit. */
  stopIdle({ job, handled }: Idle): void {
    const child = this.#children.get(formatJobId(job));
    if (!child || child.waiting || child.sent !== handled) return;
    this.#stop(child);
  }

  /**
   * Stops the actors, which give their jobs back; those that have a client to answer as soon as they have. Leases are
   * accepted no more, requests of clients are.
   */
  drain(): void {
    this.#isDraining = true;
    for (const child of this.#children.values()) this.#stopUnlessAwaited(child);
  }

  undrain(): void {
    this.#isDraining = false;
  }

  /**
   * Runs the eraser in place of the object actor; orders that arrive for the job in the meantime wait for the actor
   * after it.
   * @param reply gets false when the job is in work, or has changed
   */
  erase(note: Note, revision: number, reply: Reply<boolean>): void {
    const { job } = note;
    const name = formatJobId(job);
    if (this.#children.has(name)) {
      reply.resolve(false);
      return;
    }
    const eraser = segmentEraser({ note, revision, ports: this.#ports });
    const ref: Ref<never> = this.#ctx.spawn(`object/${name}`, eraser);
    this.#children.set(name, { ref, sent: 0, openReplies: new Set(), waiting: [] });
    this.#ctx.watch(ref, (end) => {
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
  end(job: JobId, { error }: Ended): void {
    const name = formatJobId(job);
    const { openReplies = [], lease, waiting = [] } = this.#children.get(name) ?? {};
    this.#children.delete(name);
    for (const reply of openReplies) reply.reject(clientError(job, error));
    // An actor that failed at its start has not returned the lease; if it has, this has no effect.
    if (lease) giveBack(lease, redeliverMs(lease, error), this.#ctx.log);
    for (const order of waiting) this.deliver(job, order);
  }

  /** The owner has stopped, and with it all actors. */
  close(): void {
    for (const { openReplies, lease, waiting = [] } of this.#children.values()) {
      for (const reply of openReplies) reply.reject(ownerStopped());
      if (lease) giveBack(lease, 0, this.#ctx.log);
      for (const order of waiting) refuse(order, this.#ctx.log);
    }
  }

  #spawn(job: JobId): Child {
    const name = formatJobId(job);
    const actor = objectActor({ job, ports: this.#ports, parent: this.#ctx.self });
    const ref = this.#ctx.spawn(`object/${name}`, actor);
    this.#ctx.watch(ref, (end) => ({ type: 'object-ended', job, end }));
    const child: Child = { ref, sent: 0, openReplies: new Set() };
    this.#children.set(name, child);
    return child;
  }

  #stop(child: Child): void {
    child.waiting = [];
    void this.#ctx.stop(child.ref as Ref<never>);
  }

  #stopUnlessAwaited(child: Child): void {
    if (this.#isDraining && !child.waiting && child.openReplies.size === 0) this.#stop(child);
  }

  /** Tracks the reply of an order, so that it is rejected at the latest when the actor ends: no client waits forever. */
  #withTrackedReply(child: Child, order: ObjectOrder): ObjectOrder {
    switch (order.type) {
      case 'upload':
        return { ...order, reply: this.#trackReply(child, order.reply) };
      case 'progress':
        return { ...order, reply: this.#trackReply(child, order.reply) };
      case 'give-up':
        return { ...order, reply: this.#trackReply(child, order.reply) };
      case 'lease':
        return order;
    }
  }

  #trackReply<R>(child: Child, reply: Reply<R>): Reply<R> {
    const settle = () => {
      child.openReplies.delete(tracked);
      this.#stopUnlessAwaited(child);
    };
    const tracked: Reply<R> = {
      resolve(value) {
        settle();
        reply.resolve(value);
      },
      reject(error) {
        settle();
        reply.reject(error);
      },
    };
    child.openReplies.add(tracked);
    return tracked;
  }
}

function refuse(order: ObjectOrder, log: Logger): void {
  if (order.type === 'lease') giveBack(order.lease, REFUSED_LEASE_MS, log);
  else order.reply.reject(ownerStopped());
}

/** A lease that cannot be returned expires by itself. */
function giveBack(lease: Lease, delayMs: number, log: Logger): void {
  lease.postpone(delayMs).catch((thrown: unknown) => {
    log.warn(
      { error: toSealionError(thrown), job: formatJobId(lease.job) },
      'could not return a lease to the work queue',
    );
  });
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
