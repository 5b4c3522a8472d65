import { Retryable } from '#protocols/errors';
import { oneShot } from '#runtime/actors/one-shot';
import type { Activity, Context, Reply } from '#runtime/actors/types';
import type { Sizes } from '#runtime/telemetry/sizes';

/** A task of the repairer, shared by all who ask for it. */
export interface Task<R> {
  /** Name of its actor; equal names mean the same task. */
  readonly name: string;
  run(work: TaskWork<R>): Promise<void>;
}

/** Context of a running task. */
export interface TaskWork<R> {
  readonly signal: AbortSignal;
  say(activity: Activity): void;
  /** Answers all who asked; may be called before the task ends. */
  answer(result: R): void;
}

interface Entry {
  readonly task: Task<unknown>;
  readonly waiting: Reply<unknown>[];
  /** Present once it is answered. */
  result?: { readonly value: unknown };
}

/** Tasks that wait for their turn; more are refused. */
const MAX_WAITING = 256;

/** Runs a limited number of tasks concurrently, each in its own actor. A request for a running task joins it. */
export class WorkList<M> {
  readonly #limit: number;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting: Entry[] = [];
  #running = 0;
  readonly #onEnd: (list: WorkList<M>, name: string, error: unknown) => M;

  /** @param onEnd builds the message that tells the owner of the end of a task; the owner then calls `end` */
  constructor(limit: number, onEnd: (list: WorkList<M>, name: string, error: unknown) => M) {
    this.#limit = limit;
    this.#onEnd = onEnd;
  }

  /** Shows how many tasks wait for their turn. */
  watch(sizes: Sizes, what: string): void {
    const used = () => this.#waiting.length;
    sizes.watchBound({ what, unit: 'items', limit: () => MAX_WAITING, used });
  }

  get running(): number {
    return this.#running;
  }

  add<R>(task: Task<R>, reply: Reply<R>, ctx: Context<M>): void {
    const known = this.#entries.get(task.name);
    if (known?.result) reply.resolve(known.result.value as R);
    else if (known) known.waiting.push(reply as Reply<unknown>);
    else if (this.#waiting.length >= MAX_WAITING) reply.reject(busy());
    else this.#take(task, reply, ctx);
  }

  #take<R>(task: Task<R>, reply: Reply<R>, ctx: Context<M>): void {
    const entry: Entry = { task: task as Task<unknown>, waiting: [reply as Reply<unknown>] };
    this.#entries.set(task.name, entry);
    this.#waiting.push(entry);
    this.#startNext(ctx);
  }

  /** A task's actor has ended. */
  end(name: string, error: unknown, ctx: Context<M>): void {
    this.#running -= 1;
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    for (const reply of entry?.waiting ?? []) reply.reject(error ?? busy());
    this.#startNext(ctx);
  }

  /** Rejects all who wait. */
  close(error: unknown): void {
    for (const { waiting } of this.#entries.values()) {
      for (const reply of waiting) reply.reject(error);
    }
  }

  #startNext(ctx: Context<M>): void {
    while (this.#running < this.#limit) {
      const entry = this.#waiting.shift();
      if (!entry) return;
      this.#running += 1;
      const { name, run } = entry.task;
      const ref = ctx.spawn(
        name,
        oneShot('repair', (child, signal) =>
          run({
            signal,
            say: (activity) => child.say(activity),
            answer(value) {
              entry.result = { value };
              for (const reply of entry.waiting.splice(0)) reply.resolve(value);
            },
          }),
        ),
      );
      ctx.watch(ref, ({ error }) => this.#onEnd(this, name, error));
    }
  }
}

function busy(): Retryable {
  return new Retryable({
    code: 'repairer-busy',
    message: 'Too many repairs are already running.',
    advice: 'Try again in a minute.',
    retryAfterMs: 60_000,
  });
}
