import { Retryable } from '../protocols/errors.ts';
import { formatJobId, type JobId } from '../protocols/job/identity.ts';
import type { Behaviour, Context, Ended, Ref, Reply } from '../runtime/actors/types.ts';
import type { Lease } from '../runtime/jobs/job-queue.ts';
import { readJob } from './job-log.ts';
import type { ObjectsMessage } from './messages.ts';
import { objectActor } from './object/object.ts';
import type { Idle, ObjectMessage, ObjectOrder } from './object/work.ts';
import type { PrimaryPorts } from './ports.ts';

/** What `objects` hears: the gateway's requests, leases from `jobs`, and its own children. */
export type ObjectsInbox =
  | ObjectsMessage
  | { readonly type: 'lease'; readonly lease: Lease }
  | Idle
  | {
      readonly type: 'object-ended';
      readonly job: JobId;
      readonly ref: Ref<ObjectMessage>;
      readonly end: Ended;
    };

interface Child {
  readonly ref: Ref<ObjectMessage>;
  /** Orders given to it; when it is idle after the last of them, it may stop. */
  sent: number;
  /** Clients whose answer it owes. */
  readonly owed: Set<Reply<never>>;
  /** The lease that it was given last. */
  lease?: Lease;
}

type Children = Map<string, Child>;

/** How soon a job whose actor has failed is delivered again; ms. */
const REDELIVER_MS = 1_000;

/** Supervises one object actor per object in work, started by an upload or a lease, stopped when it rests. */
export function objects(ports: PrimaryPorts): Behaviour<ObjectsInbox, Children> {
  return {
    kind: 'objects',
    start: () => new Map(),

    async receive(children, message, ctx) {
      switch (message.type) {
        case 'upload': {
          const child = childFor(children, message.request.job, ctx);
          give(child, { ...message, reply: owe(child, message.reply) });
          break;
        }
        case 'lease': {
          const child = childFor(children, message.lease.job, ctx);
          child.lease = message.lease;
          give(child, message);
          break;
        }
        case 'progress': {
          const child = children.get(formatJobId(message.job));
          if (child) give(child, { type: 'progress', reply: owe(child, message.reply) });
          else
            readJob(message.job, ports.journal, ctx.signal).then(message.reply.resolve, message.reply.reject);
          break;
        }
        case 'idle': {
          const child = children.get(formatJobId(message.job));
          if (child?.sent !== message.handled) break;
          children.delete(formatJobId(message.job));
          await ctx.stop(child.ref as Ref<never>);
          break;
        }
        case 'object-ended': {
          const child = children.get(formatJobId(message.job));
          if (child?.ref !== message.ref) break;
          children.delete(formatJobId(message.job));
          for (const reply of child.owed) reply.reject(message.end.error ?? ownerStopped());
          await child.lease?.postpone(REDELIVER_MS);
        }
      }
      ctx.say({ doing: `objects in work: ${children.size}` });
      return children;
    },

    stopped(children) {
      for (const child of children?.values() ?? []) {
        for (const reply of child.owed) reply.reject(ownerStopped());
      }
    },
  };

  function childFor(children: Children, job: JobId, ctx: Context<ObjectsInbox>): Child {
    const name = formatJobId(job);
    const known = children.get(name);
    if (known) return known;
    const ref = ctx.spawn(`object/${name}`, objectActor({ job, ports, parent: ctx.self }));
    ctx.watch(ref, (end) => ({ type: 'object-ended', job, ref, end }));
    const child: Child = { ref, sent: 0, owed: new Set() };
    children.set(name, child);
    return child;
  }
}

/** To a child that has just failed nothing is lost: its end, which is on its way to us, settles what it owes. */
function give(child: Child, order: ObjectOrder): void {
  child.sent += 1;
  child.ref.tell(order);
}

/** An answer that is settled with the child's end at the latest: no client waits for ever. */
function owe<R>(child: Child, reply: Reply<R>): Reply<R> {
  child.owed.add(reply);
  return {
    resolve(value) {
      child.owed.delete(reply);
      reply.resolve(value);
    },
    reject(error) {
      child.owed.delete(reply);
      reply.reject(error);
    },
  };
}

function ownerStopped(): Retryable {
  return new Retryable({
    code: 'owner-stopped',
    message: 'The part of the provider that worked on the object has stopped.',
    advice: 'Try again.',
    gatewayCode: 110001,
  });
}
