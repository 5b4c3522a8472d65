import { setTimeout as sleep } from 'node:timers/promises';
import { type SealionError, Terminal } from '#protocols/errors';
import type { Logger } from '../telemetry/logger.ts';
import { actorStopped, type PendingAsk } from './ask.ts';
import type { Child, Parent, World } from './children.ts';
import { type Ending, type Host, Incarnation } from './incarnation.ts';
import { labelOf } from './inspection.ts';
import { Mailbox } from './mailbox.ts';
import type { TurnRunner } from './nact.ts';
import { LocalRef, type Target } from './ref.ts';
import { Restarts, type Verdict } from './restarts.ts';
import type { Activity, Behaviour, Directive, Ended, Ref, TreeNode } from './types.ts';

const DEFAULT_MAILBOX_LIMIT = 1024;

/**
 * One actor from its spawn to its end: a mailbox, and one incarnation after the other. The mailbox survives restarts;
 * the next incarnation continues with the messages in it.
 */
export class Cell<M, S> implements Target<M>, Host<M, S>, Child {
  readonly name: string;
  readonly path: string;
  readonly ref: Ref<M>;
  readonly behaviour: Behaviour<M, S>;
  readonly mailbox: Mailbox<M>;
  readonly openAsks = new Set<PendingAsk>();
  readonly runner: TurnRunner;
  readonly #world: World;
  readonly #parent: Parent;
  readonly #restarts: Restarts;
  readonly #stopAsked = new AbortController();
  readonly #endListeners = new Set<(end: Ended) => void>();
  readonly #life: Promise<Ended>;
  #incarnation: Incarnation<M, S>;
  #between = false;
  #closed = false;
  #ended: Ended | undefined;
  #activity: (Activity & { readonly since: number }) | undefined;
  #lastError: TreeNode['lastError'];
  #log: Logger | undefined;

  /** @throws Terminal `unknown-actor-kind` */
  constructor(world: World, parent: Parent, name: string, behaviour: Behaviour<M, S>) {
    const row = Object.hasOwn(world.supervision, behaviour.kind)
      ? world.supervision[behaviour.kind]
      : undefined;
    if (!row) {
      throw new Terminal({
        code: 'unknown-actor-kind',
        message: `The supervision table has no row for "${behaviour.kind}".`,
        advice: 'Add a row for this kind of actor.',
      });
    }
    this.name = name;
    this.path = `${parent.path}/${name}`;
    this.ref = new LocalRef(this);
    this.behaviour = behaviour;
    this.mailbox = new Mailbox(behaviour.mailboxLimit ?? DEFAULT_MAILBOX_LIMIT);
    this.#world = world;
    this.#parent = parent;
    this.#restarts = new Restarts(row);
    this.runner = parent.runner.spawn(String(world.nextNumber()));
    world.inspector.emit({ type: 'spawned', path: this.path, kind: behaviour.kind });
    this.#incarnation = new Incarnation(world, this);
    this.#life = this.#live();
  }

  /** Made when it is first used: most actors log nothing. */
  get log(): Logger {
    this.#log ??= this.#world.log.child({ actor: this.path });
    return this.#log;
  }

  get incarnation(): number {
    return this.#incarnation.number;
  }

  get ended(): Ended | undefined {
    return this.#ended;
  }

  deliver(message: M, ask?: PendingAsk): 'stopped' | 'mailbox-full' | undefined {
    if (this.#closed) return this.#deadLetter(message, 'stopped');
    if (!this.mailbox.put({ open: () => message, ask })) return this.#deadLetter(message, 'mailbox-full');
    return undefined;
  }

  onEnd(listener: (end: Ended) => void): () => void {
    this.#endListeners.add(listener);
    return () => {
      this.#endListeners.delete(listener);
    };
  }

  stop(): Promise<Ended> {
    this.close();
    this.#stopAsked.abort();
    this.#incarnation.end({ directive: 'stop' });
    return this.#life;
  }

  close(): void {
    this.#closed = true;
  }

  judge(error: SealionError, resumable: boolean): Verdict {
    return this.#restarts.judge(error, resumable, performance.now(), Math.random());
  }

  report(error: SealionError, directive: Directive): void {
    this.#world.watch?.failed(this.behaviour.kind, error);
    this.#lastError = { code: error.code, message: error.message, at: Date.now() };
    this.#world.inspector.emit({ type: 'failed', path: this.path, error, directive });
    const level =
      error.kind === 'cancelled'
        ? 'debug'
        : directive === 'restart' || directive === 'resume'
          ? 'warn'
          : 'error';
    this.log[level]({ code: error.code, directive, error }, error.message);
  }

  say(activity: Activity): void {
    const last = this.#activity;
    const same = last && last.doing === activity.doing && last.waitsFor === activity.waitsFor;
    this.#activity = { ...activity, since: same ? last.since : Date.now() };
  }

  tree(): TreeNode {
    return {
      name: this.name,
      path: this.path,
      kind: this.behaviour.kind,
      status: this.#status(),
      ...(this.#activity && { activity: this.#activity }),
      restarts: this.#restarts.total,
      mailbox: this.mailbox.size,
      ...(this.#lastError && { lastError: this.#lastError }),
      children: this.#incarnation.children.trees(),
    };
  }

  #status(): TreeNode['status'] {
    if (this.#closed) return 'stopping';
    if (this.#between || this.#incarnation.signal.aborted) return 'restarting';
    return this.#incarnation.started ? 'running' : 'starting';
  }

  async #live(): Promise<Ended> {
    let ending = await this.#incarnation.run();
    while (ending.directive === 'restart' && (await this.#backOff(ending.error, ending.delayMs))) {
      this.#activity = undefined;
      this.#incarnation = new Incarnation(this.#world, this);
      this.#world.inspector.emit({ type: 'restarted', path: this.path, restarts: this.#restarts.total });
      ending = await this.#incarnation.run();
    }
    return this.#finish(ending);
  }

  /** @returns false when the actor was stopped in the meantime. */
  async #backOff(error: SealionError, delayMs: number): Promise<boolean> {
    const { signal } = this.#stopAsked;
    this.#between = true;
    this.say({ doing: `restarting after ${error.code}`, nextTryAt: Date.now() + Math.round(delayMs) });
    await sleep(delayMs, undefined, { signal }).catch(() => undefined);
    this.#between = false;
    return !signal.aborted;
  }

  #finish(ending: Ending): Ended {
    const error = this.#stopAsked.signal.aborted ? undefined : ending.error;
    const how = error ? 'failed' : 'stopped';
    const ended: Ended = { path: this.path, how, ...(error && { error }) };
    this.#closed = true;
    this.#ended = ended;
    this.runner.stop();
    for (const envelope of this.mailbox.empty()) this.#deadLetter(envelope.open(), 'stopped');
    for (const ask of this.openAsks) ask.reject(actorStopped(this.path, error));
    this.#world.inspector.emit({ type: 'stopped', path: this.path, how });
    this.#parent.childEnded(this.name);
    for (const listener of this.#endListeners) listener(ended);
    this.#endListeners.clear();
    if (error && ending.directive === 'escalate') this.#parent.childFailed(error);
    return ended;
  }

  #deadLetter(message: M, reason: 'stopped' | 'mailbox-full'): typeof reason {
    if (reason === 'mailbox-full') this.#world.watch?.refused(this.behaviour.kind);
    this.#world.inspector.emit({ type: 'dead-letter', path: this.path, message: labelOf(message), reason });
    this.log.debug({ message: labelOf(message), reason }, 'dead letter');
    return reason;
  }
}
