import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { z } from 'zod';
import {
  Cancelled,
  Retryable,
  type SealionError,
  Terminal,
  throwIfAborted,
  toSealionError,
} from '#protocols/errors';
import { natsError } from '../nats/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Calls } from './calls.ts';
import { answerTo, nobodyAnswers, showLife } from './signs-of-life.ts';

/** Calls answered concurrently by one `serve`; more are refused. */
const AT_ONCE = 256;

const failure = z.object({
  kind: z.enum(['retryable', 'terminal', 'cancelled']),
  code: z.string(),
  message: z.string(),
  advice: z.string().optional(),
  gatewayCode: z.int().optional(),
  retryAfterMs: z.number().optional(),
});

/** Wire form of the result of a call. */
const outcome = z.union([z.object({ value: z.unknown() }).required(), z.object({ failure })]);
type CallResult = z.infer<typeof outcome>;

/** Calls over NATS requests. The connection stays the caller's. */
export function natsCalls(connection: NatsConnection, log: Logger): Calls {
  return {
    async serve(subject, answer, { signal, alone = false }) {
      throwIfAborted(signal);
      const calls = connection.subscribe(subject, alone ? {} : { queue: subject });
      const stop = () => calls.unsubscribe();
      signal.addEventListener('abort', stop, { once: true });
      const running = new Set<Promise<void>>();
      try {
        for await (const message of calls) {
          if (running.size >= AT_ONCE) {
            respond(message, { failure: failureOf(tooManyCalls()) }, log);
            continue;
          }
          const stopShowing = showLife(message, connection);
          const answering = outcomeOf(message, answer, signal)
            .then((result) => respond(message, result, log))
            .finally(() => {
              stopShowing();
              running.delete(answering);
            });
          running.add(answering);
        }
      } catch (error) {
        throw natsError(error, `answering ${subject}`);
      } finally {
        signal.removeEventListener('abort', stop);
        await Promise.all(running);
      }
      if (!signal.aborted) {
        throw new Retryable({
          code: 'nats-unavailable',
          message: `The connection ended while ${subject} was answered.`,
        });
      }
    },

    async call(subject, question, { timeoutMs, signal }) {
      const message = await answerTo(connection, subject, JSON.stringify(question), { timeoutMs, signal });
      const result = readOutcome(message, subject);
      if ('value' in result) return result.value;
      throw errorOf(result.failure);
    },
  };
}

async function outcomeOf(
  message: Msg,
  answer: (question: unknown, signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
): Promise<CallResult> {
  try {
    return { value: (await answer(message.json(), signal)) ?? null };
  } catch (thrown) {
    const error = toSealionError(thrown);
    // It is not the caller who has cancelled it: this node stops answering.
    const stops = signal.aborted && error.kind === 'cancelled';
    return { failure: failureOf(stops ? nobodyAnswers(message.subject) : error) };
  }
}

function readOutcome(message: Msg, subject: string): CallResult {
  try {
    return outcome.parse(message.json());
  } catch (cause) {
    throw new Retryable({ code: 'bad-answer', message: `The answer of ${subject} cannot be read.`, cause });
  }
}

function respond(message: Msg, result: CallResult, log: Logger): void {
  try {
    message.respond(JSON.stringify(result));
  } catch (thrown) {
    log.warn({ error: toSealionError(thrown), subject: message.subject }, 'could not send an answer');
  }
}

function failureOf(error: SealionError): z.infer<typeof failure> {
  const { kind, code, message, advice, gatewayCode } = error;
  const retryAfterMs = error instanceof Retryable ? error.retryAfterMs : undefined;
  return { kind, code, message, advice, gatewayCode, retryAfterMs };
}

function errorOf({
  kind,
  advice,
  gatewayCode,
  retryAfterMs,
  ...facts
}: z.infer<typeof failure>): SealionError {
  const all = {
    ...facts,
    ...(advice !== undefined && { advice }),
    ...(gatewayCode !== undefined && { gatewayCode }),
  };
  if (kind === 'terminal') return new Terminal(all);
  if (kind === 'cancelled') return new Cancelled(all);
  return new Retryable({ ...all, ...(retryAfterMs !== undefined && { retryAfterMs }) });
}

function tooManyCalls(): Retryable {
  return new Retryable({ code: 'too-many-calls', message: `${AT_ONCE} calls are already being answered.` });
}
