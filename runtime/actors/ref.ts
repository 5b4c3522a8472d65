import { Terminal, toSealionError } from '#protocols/errors';
import { abortError, actorStopped, mailboxFull, PendingAsk } from './ask.ts';
import type { AskOptions, Ended, Ref, Reply } from './types.ts';

/** The actor that a ref points to. */
export interface Target<M> {
  readonly path: string;
  readonly incarnation: number;
  /** How the actor ended; undefined while it lives. */
  readonly ended: Ended | undefined;
  readonly openAsks: Set<PendingAsk>;
  /** Puts a message into the mailbox, or makes it a dead letter. @returns why it was refused. */
  deliver(message: M, ask?: PendingAsk): 'stopped' | 'mailbox-full' | undefined;
  /** @returns a function that ends the subscription. */
  onEnd(listener: (end: Ended) => void): () => void;
}

/** A ref to an actor of this process. */
export class LocalRef<M> implements Ref<M> {
  readonly #target: Target<M>;

  constructor(target: Target<M>) {
    this.#target = target;
  }

  get path(): string {
    return this.#target.path;
  }

  get incarnation(): number {
    return this.#target.incarnation;
  }

  tell(message: M): boolean {
    return this.#target.deliver(message) === undefined;
  }

  ask<R>(build: (reply: Reply<R>) => M, options: AskOptions = {}): Promise<R> {
    if (options.signal?.aborted) return Promise.reject(abortError(options.signal));
    const ask = new PendingAsk(this.path, this.#target.openAsks, options);
    try {
      const refusal = this.#target.deliver(build(ask.reply), ask);
      if (refusal === 'stopped') ask.reject(actorStopped(this.path, this.#target.ended?.error));
      if (refusal === 'mailbox-full') ask.reject(mailboxFull(this.path));
    } catch (thrown) {
      ask.reject(toSealionError(thrown));
    }
    return ask.answer as Promise<R>;
  }

  static targetOf<N>(ref: Ref<N>): Target<N> {
    if (ref instanceof LocalRef) return ref.#target as Target<N>;
    throw new Terminal({ code: 'foreign-ref', message: `${ref.path} is not an actor of this process.` });
  }
}
