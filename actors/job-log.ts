import { Retryable, Terminal } from '#protocols/errors';
import type { JobCommand } from '#protocols/job/commands';
import type { JobContext } from '#protocols/job/context';
import { decide } from '#protocols/job/decide';
import type { JobEvent } from '#protocols/job/events';
import { evolve, replay } from '#protocols/job/evolve';
import { formatJobId, type JobId } from '#protocols/job/identity';
import { troubleOf } from '#protocols/job/trouble';
import type { JobAnnouncement, JobFeed } from '#runtime/home/home';
import type { Journal } from '#runtime/journal/journal';

/** A command as an actor gives it; the log adds the time. */
export type Order = JobCommand extends infer C ? (C extends JobCommand ? Omit<C, 'at'> : never) : never;

/** Is called after each event that the journal has accepted; must not throw. */
export type JobWatcher = (change: {
  /** Undefined before the job's creation. */
  readonly before: JobContext | undefined;
  readonly event: JobEvent;
  readonly after: JobContext;
}) => void;

interface JobPorts {
  readonly node: string;
  readonly journal: Journal;
  readonly feed: JobFeed;
  readonly watch?: JobWatcher;
}

/**
 * The only way to change a job: decide, persist, evolve, and only then announce. The journal has accepted whatever the
 * context returned by `record` says (ARCHITECTURE.md#the-job-machine).
 */
export class JobLog {
  readonly job: JobId;
  readonly #ports: JobPorts;
  #context: JobContext | undefined;
  #busy = false;

  private constructor(job: JobId, ports: JobPorts, context: JobContext | undefined) {
    this.job = job;
    this.#ports = ports;
    this.#context = context;
  }

  /** Recovers a job from the journal; a job without events does not exist yet. */
  static async open(job: JobId, ports: JobPorts, signal?: AbortSignal): Promise<JobLog> {
    return new JobLog(job, ports, await readJob(job, ports.journal, signal));
  }

  /** The job as the journal has it; undefined before its creation. */
  get current(): JobContext | undefined {
    return this.#context;
  }

  /** @throws Retryable `job-unknown` before the job's creation */
  get context(): JobContext {
    if (this.#context) return this.#context;
    throw new Retryable({
      code: 'job-unknown',
      message: `There is no job for object ${formatJobId(this.job)}.`,
      advice: 'Upload the object first.',
    });
  }

  /** The reason for which the decider would refuse an order now; undefined if it would not. */
  refusal(order: Order): Terminal | undefined {
    try {
      this.#decide(order);
      return undefined;
    } catch (error) {
      if (error instanceof Terminal) return error;
      throw error;
    }
  }

  /**
   * Makes sure that nobody else has written since. For effects that happen long after the event that justifies them.
   * @throws Terminal `journal-fenced`
   */
  async confirm(): Promise<void> {
    const { revision } = this.context;
    const stored = await this.#ports.journal.read(this.job);
    if (stored.length === revision) return;
    throw new Terminal({
      code: 'journal-fenced',
      message: `Job ${formatJobId(this.job)} has ${stored.length} events, not ${revision}: another owner has it.`,
      advice: 'Stop working on the job; its new owner continues it.',
    });
  }

  /**
   * Persists the events of an order and returns the new context.
   * @throws Terminal when the decider refuses, and nothing has changed; Terminal `journal-fenced` when another owner
   * wrote first: stop, without any further effect
   */
  async record(order: Order): Promise<JobContext> {
    if (this.#busy) throw new Error('a job is changed by one handler at a time');
    this.#busy = true;
    try {
      for (const event of this.#decide(order)) {
        await this.#ports.journal.append(this.job, (this.#context?.revision ?? 0) + 1, event);
        const before = this.#context;
        this.#context = evolve(before, event);
        this.#ports.watch?.({ before, event, after: this.#context });
        this.#ports.feed.announce(announcementOf(this.#context, event, this.#ports.node));
      }
      return this.context;
    } finally {
      this.#busy = false;
    }
  }

  #decide(order: Order): readonly JobEvent[] {
    return decide(this.#context, { ...order, at: Date.now() } as JobCommand);
  }
}

/** The announcement of an event to other nodes, after the journal has it. */
function announcementOf(context: JobContext, event: JobEvent, node: string): JobAnnouncement {
  const { id: job, state, seal } = context;
  const trouble = troubleOf(context);
  const sealing = state === 'SEAL_OBJECT_DOING' || state === 'SEAL_OBJECT_DONE';
  return {
    job,
    state,
    at: event.at,
    node,
    ...(event.type === 'SecondaryCompleted' && {
      secondary: { spId: event.receipt.spId, redundancyIndex: event.receipt.redundancyIndex },
    }),
    ...(sealing && seal && { transactionHash: seal.hash }),
    ...(trouble && {
      failure: {
        message: trouble.message,
        ...(trouble.nextTryAt !== undefined && { nextTryAt: trouble.nextTryAt }),
      },
    }),
  };
}

/** A job's context from its events; undefined for an unknown job. */
export async function readJob(
  job: JobId,
  journal: Pick<Journal, 'read'>,
  signal?: AbortSignal,
): Promise<JobContext | undefined> {
  const stored = await journal.read(job, signal ? { signal } : {});
  return replay(stored.map((entry) => entry.event));
}
