import { createInbox, type Msg, type NatsConnection } from '@nats-io/nats-core';
import { Retryable, throwIfAborted } from '#protocols/errors';
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
  let why = connectionEnded(subject);
  try {
    const inbox = createInbox();
    const answers = connection.subscribe(inbox);
    const stop = (error = why) => {
      why = error;
      answers.unsubscribe();
    };
    const abort = () => stop();
    signal?.addEventListener('abort', abort, { once: true });
    const silence = setTimeout(() => stop(answererSilent(subject)), SILENCE_MS);
    const limit = setTimeout(() => stop(callTimeout(subject)), timeoutMs);
    try {
      connection.publish(subject, question, { reply: inbox });
      for await (const message of answers) {
        if (message.headers?.code === NOBODY) throw nobodyAnswers(subject);
        if (message.data.length > 0) return message;
        silence.refresh();
      }
      throwIfAborted(signal);
      throw why;
    } finally {
      clearTimeout(silence);
      clearTimeout(limit);
      signal?.removeEventListener('abort', abort);
      answers.unsubscribe();
    }
  } catch (error) {
    throw natsError(error, `asking ${subject}`);
  }
}

export function nobodyAnswers(subject: string): Retryable {
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
