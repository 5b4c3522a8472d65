import { Cancelled, Retryable, SealionError, toSealionError } from '#protocols/errors';
import type { AskOptions, Reply } from './types.ts';

/** A pending question: settled once, by the answer, the requester's signal, the time limit or the actor's end. */
export class PendingAsk {
  readonly answer: Promise<unknown>;
  readonly reply: Reply<unknown>;
  /** The incarnation that has taken the question out of the mailbox. */
  takenBy: object | undefined;
  readonly #settle: (deliver: () => void) => void;
  #reject: (error: SealionError) => void = () => undefined;

  /** @param open the open questions of the actor; this one is among them until it is settled. */
  constructor(path: string, open: Set<PendingAsk>, { signal, timeoutMs }: AskOptions) {
    let resolve: (value: unknown) => void = () => undefined;
    this.answer = new Promise((onValue, onError) => {
      resolve = onValue;
      this.#reject = onError;
    });
    const abort = () => this.reject(abortError(signal));
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => this.reject(askTimeout(path, timeoutMs)), timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    open.add(this);
    this.#settle = (deliver) => {
      if (!open.delete(this)) return;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      deliver();
    };
    this.reply = {
      resolve: (value) => this.#settle(() => resolve(value)),
      reject: (error) => this.reject(toSealionError(error)),
    };
  }

  reject(error: SealionError): void {
    this.#settle(() => this.#reject(error));
  }
}

/** The error of a question whose actor, or whose receiving incarnation, ended before it answered. */
export function actorStopped(path: string, cause?: unknown): Retryable {
  return new Retryable({
    code: 'actor-stopped',
    message: `${path} ended before it answered.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

export function mailboxFull(path: string): Retryable {
  return new Retryable({
    code: 'mailbox-full',
    message: `The mailbox of ${path} is full.`,
    advice: 'Ask again later.',
  });
}

/** The reason for which a signal fired, as one of our errors; `aborted` for any other reason. */
export function abortError(signal: AbortSignal | undefined): SealionError {
  const reason: unknown = signal?.reason;
  if (reason instanceof SealionError) return reason;
  return new Cancelled({ code: 'aborted', message: 'The operation was aborted.', cause: reason });
}

function askTimeout(path: string, ms: number): Retryable {
  return new Retryable({ code: 'ask-timeout', message: `${path} did not answer within ${ms} ms.` });
}
