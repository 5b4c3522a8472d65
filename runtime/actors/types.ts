import type { SealionError } from '#protocols/errors';
import type { Logger } from '../telemetry/logger.ts';

/**
 * The address of an actor from its spawn to its end, including supervised restarts: messages sent during a restart wait
 * for the next incarnation. After the actor's end they become dead letters, even if another actor has been spawned
 * under the same path since.
 */
export interface Ref<M> {
  /** For example `sp-1@node-a/objects/object/4711.0/uploader`. */
  readonly path: string;
  /** Number of the current incarnation; higher after each restart, and for each new actor under the same path. */
  readonly incarnation: number;
  /**
   * Puts a message into the mailbox, without waiting.
   * @returns false when the actor is stopping, has ended, or its mailbox is full; the message is then a dead
   * letter.
   */
  tell(message: M): boolean;
  /**
   * Sends a message that carries a reply address and waits for the answer.
   * @throws the actor's own error when it rejects or its handler of this message throws; Retryable
   * `actor-stopped` when the actor, or the incarnation that received the question, ended before answering,
   * `mailbox-full`, `ask-timeout`; Cancelled when `signal` fires.
   */
  ask<R>(build: (reply: Reply<R>) => M, options?: AskOptions): Promise<R>;
}

/** Answers one question. The first call counts, later ones do nothing. */
export interface Reply<R> {
  resolve(value: R): void;
  reject(error: unknown): void;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** ms; none by default. */
  readonly timeoutMs?: number;
}

/** How one kind of actor works. Handlers run one at a time: while an async handler runs, the other messages wait. */
export interface Behaviour<M, S> {
  /** Its row in the supervision table, for example `uploader`. */
  readonly kind: string;
  /** Maximum number of waiting messages from others; 1024 by default. */
  readonly mailboxLimit?: number;
  /** Runs first in every incarnation; its failure is a failure of the actor. */
  start(ctx: Context<M>): S | Promise<S>;
  /** Handles one message and returns the next state. */
  receive(state: S, message: M, ctx: Context<M>): S | Promise<S>;
  /**
   * Runs last in every incarnation, after its handler, its children and its piped work have ended; `state` is undefined
   * when `start` failed. An error that it throws is reported and has no other effect.
   */
  stopped?(state: S | undefined, ctx: Context<M>): void | Promise<void>;
}

/** The operations of a running actor. */
export interface Context<M> {
  readonly self: Ref<M>;
  /**
   * Fires when this incarnation is to stop or to be restarted. Everything it has started must take it. Its reason has
   * the failure as its cause, and none if the actor was asked to stop.
   */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /**
   * Starts a child. Its name may hold `/`, and is free again once an earlier child of that name has ended.
   * @throws Terminal `name-taken`, `bad-name`, `unknown-actor-kind`; Cancelled `actor-stopping`
   */
  spawn<N, T>(name: string, behaviour: Behaviour<N, T>): Ref<N>;
  /** The child of a name, which may be stopping; undefined when the name is free. */
  child<N>(name: string): Ref<N> | undefined;
  /**
   * Stops a child and all its descendants; resolves when the child's own `stopped` has run.
   * @throws Terminal `not-a-child`
   */
  stop(child: Ref<never>): Promise<void>;
  /** Stops this actor after the current handler; from now on messages to it are dead letters. */
  stopSelf(): void;
  /**
   * Requests a message when an actor ends (not when it restarts); at once if it has already ended. The watch ends with
   * this incarnation.
   */
  watch<N>(ref: Ref<N>, onEnd: (end: Ended) => M): void;
  /**
   * Runs work concurrently with the message handlers and turns its outcome, success or failure, into a message to self.
   * The work gets this incarnation's signal. An incarnation that is to end waits for the work and drops its outcome.
   * Messages of `pipe`, `after` and `watch` do not count against the mailbox limit.
   */
  pipe<R>(work: (signal: AbortSignal) => Promise<R>, onDone: (outcome: Outcome<R>) => M): void;
  /** Sends a message to self after `ms`, unless the incarnation ends first. @returns a function that cancels it. */
  after(ms: number, message: M): () => void;
  /** Sets the line that the supervision tree shows for this actor. */
  say(activity: Activity): void;
}

export type Outcome<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly error: SealionError };

/** How an actor ended for good. */
export interface Ended {
  readonly path: string;
  /** `stopped` by itself or by its parent; `failed` when supervision gave it up. */
  readonly how: 'stopped' | 'failed';
  readonly error?: SealionError;
}

/** One line of the supervision tree. */
export interface Activity {
  /** For example `encoding segment 7 of 13`. */
  readonly doing: string;
  /** For example `credit from sp 4`. */
  readonly waitsFor?: string;
  /** Unix ms. */
  readonly nextTryAt?: number;
  readonly progress?: {
    readonly done: number;
    readonly total: number;
    readonly unit: 'bytes' | 'segments' | 'secondaries';
    /** What was done already when it began; what it did since then shows how fast it is. */
    readonly from?: number;
  };
}

/**
 * How an actor reacts to a kind of error. `restart`: a new incarnation after a pause. `stop`: it ends. `escalate`: it
 * ends, and its parent fails with the same error, which the parent's own row handles. `resume`: it continues with its
 * state (after a failed `start` there is none, so it restarts); a parent whose child escalated continues without it.
 */
export type Directive = 'restart' | 'stop' | 'escalate' | 'resume';

/** One row of the supervision table: a directive for each kind of error, and how often an actor may restart. */
export interface Supervision {
  readonly retryable: Directive;
  readonly terminal: Directive;
  readonly cancelled: Directive;
  /** More than `limit` restarts within `withinMs` ms are a permanent failure, handled by `beyond`. */
  readonly restarts: {
    readonly limit: number;
    readonly withinMs: number;
    readonly beyond: 'stop' | 'escalate';
  };
  /**
   * Delay before restart n (from 0, counting those within `withinMs`): full jitter up to min(maxMs, minMs·2ⁿ); a
   * Retryable error with `retryAfterMs` sets the delay itself.
   */
  readonly backoff: { readonly minMs: number; readonly maxMs: number };
}

/** Supervision by `Behaviour.kind`. */
export type SupervisionTable = Readonly<Record<string, Supervision>>;

/** One actor in the supervision tree that operators see. */
export interface TreeNode {
  readonly name: string;
  readonly path: string;
  readonly kind: string;
  readonly status: 'starting' | 'running' | 'restarting' | 'stopping';
  readonly activity?: Activity & { readonly since: number };
  readonly restarts: number;
  readonly mailbox: number;
  readonly lastError?: { readonly code: string; readonly message: string; readonly at: number };
  readonly children: readonly TreeNode[];
}

/** An event of the inspection stream. */
export type Inspection =
  | { readonly type: 'spawned'; readonly path: string; readonly kind: string; readonly at: number }
  | { readonly type: 'message'; readonly path: string; readonly message: string; readonly at: number }
  | {
      readonly type: 'failed';
      readonly path: string;
      readonly error: SealionError;
      readonly directive: Directive;
      readonly at: number;
    }
  | { readonly type: 'restarted'; readonly path: string; readonly restarts: number; readonly at: number }
  | {
      readonly type: 'stopped';
      readonly path: string;
      readonly how: 'stopped' | 'failed';
      readonly at: number;
    }
  | {
      readonly type: 'dead-letter';
      readonly path: string;
      readonly message: string;
      readonly reason: 'stopped' | 'mailbox-full';
      readonly at: number;
    };

/** The root of one node's tree. */
export interface ActorSystem {
  readonly name: string;
  /** Starts a top actor; throws as `Context.spawn` does. */
  spawn<N, T>(name: string, behaviour: Behaviour<N, T>): Ref<N>;
  tree(): TreeNode;
  /** @returns a function that ends the subscription. */
  inspect(listener: (event: Inspection) => void): () => void;
  /** Stops all actors, children before parents; resolves when the last one has ended. */
  stop(): Promise<void>;
}

/** Sees what goes wrong in an actor system, to count it; its methods must not throw. */
export interface SystemWatcher {
  /** An actor of this kind has failed; what happens to it is supervision's decision. */
  failed(kind: string, error: SealionError): void;
  /** An actor of this kind did not get a message, since its mailbox was full. */
  refused(kind: string): void;
}

export interface ActorSystemOptions {
  /** For example `sp-1@node-a`. */
  readonly name: string;
  readonly supervision: SupervisionTable;
  readonly watch?: SystemWatcher;
  readonly log: Logger;
}
