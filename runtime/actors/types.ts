import type { SealionError } from '#protocols/errors';
import type { Logger } from '../telemetry/logger.ts';

/**
 * The address of an actor from its spawn to its end, through supervised restarts: messages sent while it
 * restarts wait for the next incarnation. After its end they become dead letters, also when another actor has
 * been spawned under the same path since.
 */
export interface Ref<M> {
  /** For example `sp-1@node-a/objects/object/4711.0/uploader`. */
  readonly path: string;
  /** The incarnation that works now; rises with every restart and respawn under the same path. */
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
   * `actor-stopped` when the actor, or the incarnation that had taken the question, ended before answering,
   * `mailbox-full`, `ask-timeout`; Cancelled when `signal` fires.
   */
  ask<R>(build: (reply: Reply<R>) => M, options?: AskOptions): Promise<R>;
}

/** Where an answer goes. The first call counts, later ones do nothing. */
export interface Reply<R> {
  resolve(value: R): void;
  reject(error: unknown): void;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** ms; none by default. */
  readonly timeoutMs?: number;
}

/** How one kind of actor works. Handlers run one at a time; a handler may be async and holds the mailbox while it runs. */
export interface Behaviour<M, S> {
  /** Which row of the supervision table holds for it, for example `uploader`. */
  readonly kind: string;
  /** How many messages from others may wait. Default 1024. */
  readonly mailboxLimit?: number;
  /** Runs first in every incarnation; its failure is a failure of the actor. */
  start(ctx: Context<M>): S | Promise<S>;
  /** Handles one message and returns the next state. */
  receive(state: S, message: M, ctx: Context<M>): S | Promise<S>;
  /**
   * Runs last in every incarnation that has begun, after its handler, its children and its piped work have
   * ended; `state` is absent when `start` failed. A failure of its own is reported and changes nothing.
   */
  stopped?(state: S | undefined, ctx: Context<M>): void | Promise<void>;
}

/** What an actor can do while it runs. */
export interface Context<M> {
  readonly self: Ref<M>;
  /** Fires when this incarnation is to stop or to be restarted. Everything it has started must take it. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /**
   * Starts a child. Its name may hold `/`, and is free again once an earlier child of that name has ended.
   * @throws Terminal `name-taken`, `bad-name`, `unknown-actor-kind`; Cancelled `actor-stopping`
   */
  spawn<N, T>(name: string, behaviour: Behaviour<N, T>): Ref<N>;
  /** The child that holds a name, which may be about to stop; undefined when the name is free. */
  child<N>(name: string): Ref<N> | undefined;
  /**
   * Stops a child and everything below it; resolves when its last `stopped` has run.
   * @throws Terminal `not-a-child`
   */
  stop(child: Ref<never>): Promise<void>;
  /** Stops this actor after the current handler; from now on messages to it are dead letters. */
  stopSelf(): void;
  /**
   * Requests a message that says how an actor ended (not about restarts). For an actor that has already ended it comes at once. The watch
   * ends with this incarnation.
   */
  watch<N>(ref: Ref<N>, onEnd: (end: Ended) => M): void;
  /**
   * Lets work run beside the mailbox and turns its outcome into a message to self. The work gets this
   * incarnation's signal; its failure never escapes. The incarnation ends only after it, and then no message
   * comes of it. Messages that come of `pipe`, `after` and `watch` do not count against the mailbox limit.
   */
  pipe<R>(work: (signal: AbortSignal) => Promise<R>, onDone: (outcome: Outcome<R>) => M): void;
  /** A message to self after `ms`; ends with the incarnation. @returns a function that cancels it. */
  after(ms: number, message: M): () => void;
  /** Says in one line what the actor is doing: the supervision tree is made of these. */
  say(activity: Activity): void;
}

export type Outcome<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly error: SealionError };

/** How an actor ended for good. */
export interface Ended {
  readonly path: string;
  /** `stopped` of its own or by its parent's will; `failed` when supervision gave it up. */
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
  };
}

/**
 * What a kind of error does to an actor: `restart` a new incarnation after a pause, `stop` the end, `escalate`
 * the end and then a failure of the parent with the same error, handled by the parent's own row; `resume` go on
 * with the state as it was (a failed `start` leaves none: it is restarted). For a parent whose child escalated,
 * `resume` means to go on without that child.
 */
export type Directive = 'restart' | 'stop' | 'escalate' | 'resume';

/** One row of the supervision table: what each kind of error does, and how often an actor may restart. */
export interface Supervision {
  readonly retryable: Directive;
  readonly terminal: Directive;
  readonly cancelled: Directive;
  /** More than `limit` restarts within `withinMs` ms is a failure for good, handled as `beyond`. */
  readonly restarts: {
    readonly limit: number;
    readonly withinMs: number;
    readonly beyond: 'stop' | 'escalate';
  };
  /**
   * Delay before restart n (from 0, of those within `withinMs`): min(maxMs, minMs·2ⁿ), with full jitter; a
   * Retryable with `retryAfterMs` sets the delay itself.
   */
  readonly backoff: { readonly minMs: number; readonly maxMs: number };
}

/** Supervision by `Behaviour.kind`. */
export type SupervisionTable = Readonly<Record<string, Supervision>>;

/** One actor of the tree as operators see it. */
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

/** What the inspection stream tells. */
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
  /** Stops everything, children before parents; resolves when all is down. */
  stop(): Promise<void>;
}

export interface ActorSystemOptions {
  /** For example `sp-1@node-a`. */
  readonly name: string;
  readonly supervision: SupervisionTable;
  readonly log: Logger;
}
