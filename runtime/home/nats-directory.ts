import type { NatsConnection } from '@nats-io/nats-core';
import { z } from 'zod';
import { Retryable, throwIfAborted } from '#protocols/errors';
import { formatJobId, type JobId } from '#protocols/job/identity';
import { JOB_STATE_NAMES } from '#protocols/job/states';
import { orAborted } from '../async/or-aborted.ts';
import { TurnLimit } from '../async/turn-limit.ts';
import { isNoResponders, isTimeout, natsError } from '../nats/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { answering } from './answering.ts';
import type { Directory, OwnerAnswer } from './home.ts';

/** How long an owner may take to answer, ms; longer while this process has no time to read answers. */
const ANSWER_LIMIT_MS = 2_000;
/** After which no answer is read any more, ms. */
const REQUEST_LIMIT_MS = 30_000;

const ownerAnswer = z.object({ node: z.string(), state: z.enum(JOB_STATE_NAMES), since: z.number() });

/** The directory of the home plane: who works on a job answers on `object.<object_id>.<version>` (ARCHITECTURE.md#the-two-nats-planes). */
export function natsDirectory(connection: NatsConnection, log: Logger): Directory {
  return {
    async own(job, answer) {
      const subject = subjectOf(job);
      const questions = answering(connection, subject, () => JSON.stringify(answer()), log);
      try {
        // Others may rely on "no responders" only once the server has the subscription.
        await inTime(connection.flush());
      } catch (error) {
        questions.unsubscribe();
        throw natsError(error, `registering ${subject} in the directory`);
      }
      return {
        async release() {
          // Until the server knows, others wait for our answer; if the connection is lost, it knows anyway.
          await inTime(questions.drain()).catch(() => questions.unsubscribe());
        },
      };
    },

    async find(job, options = {}) {
      throwIfAborted(options.signal);
      const limit = new TurnLimit(ANSWER_LIMIT_MS);
      try {
        const asked = connection.request(subjectOf(job), '', { timeout: REQUEST_LIMIT_MS });
        const answer = await orAborted(Promise.race([asked, limit.over]), options.signal);
        if (!answer) throw ownerSilent(job);
        return ownerAnswer.parse(answer.json()) satisfies OwnerAnswer;
      } catch (error) {
        if (isNoResponders(error)) return undefined;
        if (isTimeout(error) || error instanceof z.ZodError) throw ownerSilent(job, error);
        throw natsError(error, `looking for the owner of object ${formatJobId(job)}`);
      } finally {
        limit.stop();
      }
    },
  };
}

/** A round trip to the server waits indefinitely for a lost connection to return; here that is a failure. */
async function inTime(roundTrip: Promise<void>): Promise<void> {
  const limit = new TurnLimit(ANSWER_LIMIT_MS);
  const isFlushed = await Promise.race([roundTrip.then(() => true), limit.over]);
  limit.stop();
  if (!isFlushed) {
    throw new Retryable({ code: 'nats-unavailable', message: 'There is no connection to NATS.' });
  }
}

function subjectOf(job: JobId): string {
  return `object.${formatJobId(job)}`;
}

function ownerSilent(job: JobId, cause?: unknown): Retryable {
  return new Retryable({
    code: 'owner-silent',
    message: `The node that works on object ${formatJobId(job)} does not answer.`,
    advice: 'Try again in ten seconds: by then another node can have taken the job.',
    gatewayCode: 110003,
    retryAfterMs: 10_000,
    cause,
  });
}
