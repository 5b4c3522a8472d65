import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/nats-core';
import { type ErrorFacts, Retryable, type SealionError, Terminal, toSealionError } from '#protocols/errors';

/** Codes of JetStream's API errors that we act on (nats-server, `server/errors.json`). */
export const JetStreamCode = {
  STREAM_NOT_FOUND: 10059,
  CONSUMER_NOT_FOUND: 10014,
  /** The consumer to be created exists with other settings. */
  CONSUMER_EXISTS: 10148,
  WRONG_LAST_SEQUENCE: 10071,
  WRONG_LAST_SEQUENCE_UNKNOWN: 10164,
  /** Another message with the same Nats-Msg-Id is being stored. */
  DUPLICATE_IN_FLIGHT: 10158,
  /** The stream to be created exists with other settings. */
  STREAM_EXISTS: 10058,
  /** The message to be deleted existed once. */
  SEQUENCE_NOT_FOUND: 10043,
  /** Any failure; only the text says which. */
  MESSAGE_DELETE_FAILED: 10057,
  STORE_FAILED: 10077,
  STORAGE_EXCEEDED: 10047,
  RESOURCES_EXCEEDED: 10023,
  NOT_ENABLED: 10076,
  NOT_ENABLED_FOR_ACCOUNT: 10039,
} as const;

/** True when JetStream refused a request for this reason. */
export function isJetStreamError(thrown: unknown, code: number): boolean {
  return thrown instanceof JetStreamApiError && thrown.code === code;
}

/** True when nobody listens on the subject of a request: JetStream is recovering, has no leader, or is missing. */
export function isNoResponders(thrown: unknown): boolean {
  return causes(thrown).some((error) => error instanceof errors.NoRespondersError);
}

/** True when a request was not answered in time. */
export function isTimeout(thrown: unknown): boolean {
  return causes(thrown).some((error) => error instanceof errors.TimeoutError || isLateCredentials(error));
}

/** True when a compare-and-set lost: the subject holds another sequence than the publisher expected. */
export function isWrongLastSequence(thrown: unknown): boolean {
  return (
    isJetStreamError(thrown, JetStreamCode.WRONG_LAST_SEQUENCE) ||
    isJetStreamError(thrown, JetStreamCode.WRONG_LAST_SEQUENCE_UNKNOWN)
  );
}

/** True when a message that was to be deleted definitely does not exist (any more). */
export function isMessageGone(thrown: unknown): boolean {
  return (
    isJetStreamError(thrown, JetStreamCode.SEQUENCE_NOT_FOUND) ||
    (isJetStreamError(thrown, JetStreamCode.MESSAGE_DELETE_FAILED) &&
      /no message found|stream store EOF/.test(String(thrown)))
  );
}

/** True when a stream with `discard_new_per_subject` refuses a message since the subject holds one already. */
export function isSubjectTaken(thrown: unknown): boolean {
  // JetStream uses the same code for every failure to store; only the text says which.
  return (
    isJetStreamError(thrown, JetStreamCode.STORE_FAILED) && String(thrown).includes('per subject exceeded')
  );
}

/** The error and its causes: the client wraps errors, in particular those of requests. */
function causes(thrown: unknown): unknown[] {
  return thrown instanceof Error ? [thrown, ...causes(thrown.cause)] : [];
}

/**
 * Converts an error of the NATS client into our taxonomy. Lost connections, missing answers and full stores are
 * `Retryable`; wrong credentials, missing permissions and a server without JetStream are `Terminal`, since only an
 * operator can help.
 * @param doing the attempted operation, for the message, for example `publishing to JOBS`
 * @param code of a Retryable error, if the port has one of its own
 */
export function natsError(thrown: unknown, doing: string, code = 'nats-unavailable'): SealionError {
  if (isRefusal(thrown)) {
    return new Terminal({
      code: 'nats-refused',
      message: `NATS refused ${doing}: ${thrown.message}`,
      advice: 'Check user, password and permissions of this account on the nats-server.',
      cause: thrown,
    });
  }
  if (isWithoutJetStream(thrown)) {
    return new Terminal({
      code: 'jetstream-disabled',
      message: `NATS refused ${doing}: JetStream is not enabled for this account.`,
      advice: 'Add a jetstream block to the server and enable it for the account.',
      cause: thrown,
    });
  }
  const facts = retryableFacts(thrown);
  if (facts)
    return new Retryable({ code, cause: thrown, ...facts, message: `Failed at ${doing}: ${facts.message}` });
  return toSealionError(thrown);
}

/** True when the server did not get the credentials within its limit of 2 s, which can happen on a busy machine. */
function isLateCredentials(error: unknown): boolean {
  return error instanceof errors.AuthorizationError && /timeout/i.test(error.message);
}

function isRefusal(thrown: unknown): thrown is Error {
  return causes(thrown).some(
    (error) =>
      (error instanceof errors.AuthorizationError && !isLateCredentials(error)) ||
      error instanceof errors.UserAuthenticationExpiredError ||
      error instanceof errors.PermissionViolationError,
  );
}

function isWithoutJetStream(thrown: unknown): boolean {
  return (
    isJetStreamError(thrown, JetStreamCode.NOT_ENABLED) ||
    isJetStreamError(thrown, JetStreamCode.NOT_ENABLED_FOR_ACCOUNT) ||
    (thrown instanceof Error && thrown.name === 'JetStreamNotEnabled' && !isNoResponders(thrown))
  );
}

function retryableFacts(thrown: unknown): Omit<ErrorFacts, 'code'> | undefined {
  if (isNoResponders(thrown)) {
    return {
      message: 'no responders on that subject.',
      advice: 'Check that JetStream is enabled, has recovered and has a leader.',
    };
  }
  if (isTimeout(thrown))
    return { message: 'no answer in time.', advice: 'Check the load of the nats-server.' };
  if (thrown instanceof JetStreamApiError) {
    const full = [
      JetStreamCode.STORE_FAILED,
      JetStreamCode.STORAGE_EXCEEDED,
      JetStreamCode.RESOURCES_EXCEEDED,
    ];
    return {
      message: `JetStream says "${thrown.message}" (${thrown.code}).`,
      ...(full.some((code) => code === thrown.code) && {
        advice: 'The store is full or over its limit: free space or raise the limit.',
      }),
    };
  }
  if (
    thrown instanceof errors.ConnectionError ||
    thrown instanceof errors.ClosedConnectionError ||
    thrown instanceof errors.DrainingConnectionError
  ) {
    return { message: `${thrown.message}.`, advice: 'Check that the nats-server runs and can be reached.' };
  }
  return undefined;
}
