import { createInbox, type Msg, type NatsConnection } from '@nats-io/nats-core';
import { Retryable, type SealionError, throwIfAborted, toSealionError } from '#protocols/errors';
import { natsError } from '../nats/errors.ts';

/** Interval of the empty messages by which a node says that it still works on an answer, ms. */
const SIGN_MS = 1_000;
/** After this time without a message, whoever took the question is dead, suspended or cut off; ms. */
const SILENCE_MS = 5_000;
/** Status with which nats-server itself answers when nobody listens. */
const NOBODY = 503;

/** Sends signs of life to whoever asked, until the returned function is called or the connection is closed. */
export function showLife(question: Msg, connection: NatsConnection): () => void {
  const timer = setInterval(() => {
    if (connection.isClosed()) clearInterval(timer);
    else question.respond();
  }, SIGN_MS);
  return () => clearInterval(timer);
}

/**
 * Sends a question, and waits for its answer as long as signs of life come.
 * @param options.timeoutMs for the whole answer
 * @throws Retryable `nobody-answers`, `answerer-silent`, `call-timeout`, `nats-unavailable`; Cancelled
 */
export async function answerTo(
  connection: NatsConnection,
  subject: string,
  question: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<Msg> {
  throwIfAborted(signal);
  return await new Promise((resolve, reject) => {
    const inbox = createInbox();
    const answers = connection.subscribe(inbox, {
      callback(error, message) {
        if (error) fail(natsError(error, `asking ${subject}`));
        else if (message.headers?.code === NOBODY) fail(nobodyAnswers(subject));
        else if (message.data.length === 0) silence.refresh();
        else end(() => resolve(message));
      },
    });
    const silence = setTimeout(() => fail(answererSilent(subject)), SILENCE_MS);
    const limit = setTimeout(() => fail(callTimeout(subject)), timeoutMs);
    const abort = () => {
      try {
        throwIfAborted(signal);
      } catch (reason) {
        fail(toSealionError(reason));
      }
    };
    signal?.addEventListener('abort', abort, { once: true });
    void answers.closed.then(() => fail(connectionEnded(subject)));
    try {
      connection.publish(subject, question, { reply: inbox });
    } catch (error) {
      fail(natsError(error, `asking ${subject}`));
    }

    function end(settle: () => void): void {
      clearTimeout(silence);
      clearTimeout(limit);
      signal?.removeEventListener('abort', abort);
      answers.unsubscribe();
      settle();
    }
    function fail(error: SealionError): void {
      end(() => reject(error));
    }
  });
}

function nobodyAnswers(subject: string): Retryable {
  return new Retryable({
    code: 'nobody-answers',
    message: `No node of this SP answers ${subject} at the moment.`,
  });
}

function answererSilent(subject: string): Retryable {
  return new Retryable({
    code: 'answerer-silent',
    message: `The node that answers ${subject} has sent nothing for ${SILENCE_MS / 1_000} s.`,
    advice: 'Try again: another node takes over its work.',
  });
}

function callTimeout(subject: string): Retryable {
  return new Retryable({ code: 'call-timeout', message: `${subject} was not answered in time.` });
}

function connectionEnded(subject: string): Retryable {
  return new Retryable({
    code: 'nats-unavailable',
    message: `The connection ended while ${subject} was asked.`,
  });
}
