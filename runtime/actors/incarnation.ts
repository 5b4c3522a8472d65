import { setMaxListeners } from 'node:events';
import { Cancelled, type SealionError, Terminal, toSealionError } from '#protocols/errors';
import type { Logger } from '../telemetry/logger.ts';
import { actorStopped, type PendingAsk } from './ask.ts';
import { Children, type World } from './children.ts';
import { labelOf } from './inspection.ts';
import type { Mailbox } from './mailbox.ts';
import { settle, type TurnRunner } from './nact.ts';
import { LocalRef } from './ref.ts';
import type { Verdict } from './restarts.ts';
import type { Activity, Behaviour, Context, Directive, Ended, Outcome, Ref } from './types.ts';

/** An incarnation's view of its actor. */
export interface Host<M, S> {
  readonly path: string;
  readonly ref: Ref<M>;
  readonly behaviour: Behaviour<M, S>;
  readonly mailbox: Mailbox<M>;
  readonly openAsks: Set<PendingAsk>;
  readonly runner: TurnRunner;
  readonly log: Logger;
  /** Applies supervision to a failure. @param resumable false when there is no state to resume with */
  judge(error: SealionError, resumable: boolean): Verdict;
  /** Reports a failure to the log and the inspection stream. */
  report(error: SealionError, directive: Directive): void;
  /** From now on messages are dead letters. */
  close(): void;
  say(activity: Activity): void;
}

/** Why an incarnation ended, and what comes after it. Without an error it was asked to stop. */
export type Ending =
  | { readonly directive: 'stop'; readonly error?: never }
  | { readonly directive: 'stop' | 'escalate'; readonly error: SealionError }
  | { readonly directive: 'restart'; readonly error: SealionError; readonly delayMs: number };

const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * One incarnation of an actor, from `start` to `stopped`. Its handlers run one after the other as turns of the
 * actor's nact actor. It is over only when its handler, its children and its piped work are.
 */
export class Incarnation<M, S> implements Context<M> {
  readonly self: Ref<M>;
  readonly signal: AbortSignal;
  readonly number: number;
  readonly children: Children;
  readonly #world: World;
  readonly #host: Host<M, S>;
  readonly #controller = new AbortController();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #watches = new Set<() => void>();
  readonly #work = new Set<Promise<void>>();
  #childrenStopped: Promise<void> | undefined;
  #inTurn = false;
  #started = false;
  #leaving = false;
  #ending: Ending | undefined;

  constructor(world: World, host: Host<M, S>) {
    this.#world = world;
    this.#host = host;
    this.self = host.ref;
    this.signal = this.#controller.signal;
    // Each pending operation of the actor adds a listener, and there may be many.
    setMaxListeners(0, this.signal);
    this.number = world.nextNumber();
    this.children = new Children(world, host, (error) => this.#fail(error, true));
  }

  get log(): Logger {
    return this.#host.log;
  }

  /** True once `start` has succeeded. */
  get started(): boolean {
    return this.#started;
  }

  /** Runs this incarnation from start to end. Never rejects. */
  async run(): Promise<Ending> {
    const { behaviour, openAsks, mailbox, path } = this.#host;
    let begun = false;
    let state: S | undefined;
    await this.#turn(async () => {
      begun = true;
      state = await behaviour.start(this);
      this.#started = true;
    });
    while (!this.#ending) {
      await mailbox.ready();
      await this.#turn(async () => {
        state = await this.#receiveNext(state as S);
      });
    }
    await this.#childrenStopped;
    await Promise.all(this.#work);
    if (begun && behaviour.stopped) await this.#lastTurn(() => behaviour.stopped?.(state, this));
    mailbox.forget(this);
    for (const ask of openAsks) {
      if (ask.takenBy === this) ask.reject(actorStopped(path, this.#ending.error));
    }
    return this.#ending;
  }

  /** Begins the end, once: fires the signal and stops the children; the running handler may finish. */
  end(ending: Ending): void {
    if (this.#ending) return;
    this.#ending = ending;
    const { path, mailbox } = this.#host;
    if (ending.directive !== 'restart') this.#host.close();
    const { error: cause } = ending;
    this.#controller.abort(
      new Cancelled({ code: 'actor-stopping', message: `${path} is stopping.`, ...(cause && { cause }) }),
    );
    for (const timer of this.#timers) clearTimeout(timer);
    for (const unwatch of this.#watches) unwatch();
    this.#childrenStopped = this.children.close();
    mailbox.wake();
  }

  spawn<N, T>(name: string, behaviour: Behaviour<N, T>): Ref<N> {
    return this.children.spawn(name, behaviour);
  }

  child<N>(name: string): Ref<N> | undefined {
    return this.children.get(name) as Ref<N> | undefined;
  }

  stop(child: Ref<never>): Promise<void> {
    return this.children.stop(child);
  }

  stopSelf(): void {
    this.#leaving = true;
    this.#host.close();
    if (!this.#inTurn) this.end({ directive: 'stop' });
  }

  watch<N>(ref: Ref<N>, onEnd: (end: Ended) => M): void {
    if (this.#ending) return;
    const target = LocalRef.targetOf(ref);
    if (target.ended) {
      const { ended } = target;
      this.#order(() => onEnd(ended));
      return;
    }
    const unwatch = target.onEnd((end) => {
      this.#watches.delete(unwatch);
      this.#order(() => onEnd(end));
    });
    this.#watches.add(unwatch);
  }

  pipe<R>(work: (signal: AbortSignal) => Promise<R>, onDone: (outcome: Outcome<R>) => M): void {
    if (this.#ending) return;
    const piped = settle(() => work(this.signal)).then((settled) => {
      this.#work.delete(piped);
      const outcome: Outcome<R> = settled.ok ? settled : { ok: false, error: toSealionError(settled.thrown) };
      if (this.#ending && !outcome.ok && outcome.error.kind !== 'cancelled') {
        this.log.warn({ error: outcome.error }, 'piped work failed while its actor was stopping');
      }
      this.#order(() => onDone(outcome));
    });
    this.#work.add(piped);
  }

  after(ms: number, message: M): () => void {
    if (!(ms >= 0 && ms <= MAX_TIMER_MS)) {
      throw new Terminal({ code: 'bad-delay', message: `A timer cannot wait ${ms} ms.` });
    }
    if (this.#ending) return () => undefined;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#order(() => message);
    }, ms);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }

  say(activity: Activity): void {
    if (!this.#ending) this.#host.say(activity);
  }

  async #receiveNext(state: S): Promise<S> {
    const envelope = this.#host.mailbox.next();
    if (!envelope) return state;
    try {
      const message = envelope.open();
      if (envelope.ask) envelope.ask.takenBy = this;
      this.#world.inspector.emit({ type: 'message', path: this.#host.path, message: labelOf(message) });
      return await this.#host.behaviour.receive(state, message, this);
    } catch (thrown) {
      envelope.ask?.reject(toSealionError(thrown));
      throw thrown;
    }
  }

  /** Runs `start` or a handler, unless the end has begun in the meantime. */
  async #turn(work: () => Promise<void>): Promise<void> {
    const settled = await this.#host.runner.run(async () => {
      if (this.#ending) return;
      this.#inTurn = true;
      await work();
    });
    this.#inTurn = false;
    if (!settled.ok) this.#fail(toSealionError(settled.thrown), this.#started);
    if (this.#leaving) this.end({ directive: 'stop' });
  }

  async #lastTurn(work: () => void | Promise<void>): Promise<void> {
    const settled = await this.#host.runner.run(work);
    if (!settled.ok) this.#fail(toSealionError(settled.thrown), false);
  }

  #fail(error: SealionError, resumable: boolean): void {
    if (this.#ending || this.#leaving) {
      if (error.kind !== 'cancelled') this.#host.report(error, this.#ending?.directive ?? 'stop');
      return;
    }
    const verdict = this.#host.judge(error, resumable);
    this.#host.report(error, verdict.directive);
    if (verdict.directive !== 'resume') this.end({ ...verdict, error });
  }

  /** Puts a message that this incarnation has ordered into its own mailbox. */
  #order(open: () => M): void {
    if (!this.#ending) this.#host.mailbox.put({ open, orderedBy: this });
  }
}
