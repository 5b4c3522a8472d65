/**
 * The one error taxonomy of all folders. An error says what to do with it, so that no caller has to guess:
 * `Retryable` again later, `Terminal` never again, `Cancelled` somebody asked us to stop.
 */

/** What every Sealion error carries. */
export interface ErrorFacts {
  /** Stable name for machines and logs, kebab-case, for example `piece-missing`; protocols/ERRORS.md explains each. */
  readonly code: string;
  /** One plain sentence: what happened. */
  readonly message: string;
  /** One plain sentence: what the reader can do about it. */
  readonly advice?: string;
  /** The error code of Greenfield's gateway that a client sees (protocols/greenfield/README.md#gateway-errors), where one fits. */
  readonly gatewayCode?: number;
  readonly cause?: unknown;
}

/** Base of the three kinds; never thrown itself. */
export abstract class SealionError extends Error {
  abstract readonly kind: 'retryable' | 'terminal' | 'cancelled';
  readonly code: string;
  readonly advice: string | undefined;
  readonly gatewayCode: number | undefined;

  constructor(facts: ErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.code = facts.code;
    this.advice = facts.advice;
    this.gatewayCode = facts.gatewayCode;
  }
}

/** Worth another try, after `retryAfterMs` (ms) where the thrower knows better than the caller's back-off. */
export class Retryable extends SealionError {
  readonly kind = 'retryable';
  readonly retryAfterMs: number | undefined;

  constructor(facts: ErrorFacts & { readonly retryAfterMs?: number }) {
    super(facts);
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** Another try with the same input cannot succeed. */
export class Terminal extends SealionError {
  readonly kind = 'terminal';
}

/** Somebody asked for the stop: a client hung up, an owner shut down, a deadline was set by the caller. */
export class Cancelled extends SealionError {
  readonly kind = 'cancelled';

  constructor(facts: ErrorFacts) {
    // Every actor that ends makes one. Nothing is wrong, and a stack trace takes longer than everything else here.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(facts);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/**
 * Brings anything that was thrown into the taxonomy. What is not ours and not an abort becomes `Retryable`
 * with the code `unexpected`: an unknown fault must not end a job for good.
 */
export function toSealionError(thrown: unknown): SealionError {
  if (thrown instanceof SealionError) return thrown;
  if (thrown instanceof Error && thrown.name === 'AbortError') {
    return new Cancelled({ code: 'aborted', message: 'The operation was aborted.', cause: thrown });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new Retryable({ code: 'unexpected', message: `Unexpected failure: ${message}`, cause: thrown });
}

/** The reason of an aborted signal as one of our errors; `signal.throwIfAborted()` with our taxonomy. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  if (signal.reason instanceof SealionError) throw signal.reason;
  throw new Cancelled({ code: 'aborted', message: 'The operation was aborted.', cause: signal.reason });
}
