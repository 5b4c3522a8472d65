import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { z } from 'zod';
import { Retryable, Terminal, toSealionError } from '#protocols/errors';
import { natsError } from '../nats/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { askAll } from './ask-all.ts';
import type { RollCall } from './home.ts';

const HEADROOM = 4096;
/** An answer of a node, unpacked, bytes: far more than any real one. */
const LIMIT_BYTES = 64 * 2 ** 20;

const answerForm = z.object({ node: z.string(), value: z.unknown() });

/** Roll calls on `nodes.<topic>`; answers are gzipped JSON. The connection stays the caller's. */
export function natsRollCall(connection: NatsConnection, log: Logger): RollCall {
  return {
    serve(topic, node, answer) {
      const subject = subjectOf(topic);
      const respond = async (message: Msg) => {
        const limit = (connection.info?.max_payload ?? 1024 * 1024) - HEADROOM;
        message.respond(await packed({ node, value: await answer() }, limit));
      };
      const callback = (refused: Error | null, message: Msg) => {
        const answered = refused ? Promise.reject(refused) : respond(message);
        answered.catch((thrown: unknown) =>
          log.warn({ error: toSealionError(thrown), subject }, 'could not answer for this node'),
        );
      };
      try {
        const subscription = connection.subscribe(subject, { callback });
        return { stop: () => subscription.unsubscribe() };
      } catch (error) {
        throw natsError(error, `answering ${subject}`);
      }
    },

    async ask(topic, { timeoutMs, nodes, signal }) {
      const found = new Map<string, unknown>();
      const isEnough = () => nodes?.every((node) => found.has(node)) ?? false;
      const options = { timeoutMs, isEnough, ...(signal && { signal }) };
      for await (const bytes of askAll(
        connection,
        subjectOf(topic),
        `asking all nodes for ${topic}`,
        options,
      )) {
        try {
          const { node, value } = await unpacked(bytes, topic);
          found.set(node, value);
        } catch (thrown) {
          log.warn({ error: toSealionError(thrown), topic }, 'left out a node whose answer cannot be read');
        }
      }
      return found;
    },
  };
}

function subjectOf(topic: string): string {
  return `nodes.${topic}`;
}

async function packed(answer: z.infer<typeof answerForm>, limit: number): Promise<Uint8Array> {
  const bytes = await promisify(gzip)(JSON.stringify(answer), { level: 1 });
  if (bytes.length <= limit) return bytes;
  throw new Terminal({
    code: 'answer-too-large',
    message: `The answer of this node has ${bytes.length} bytes, and a message at most ${limit}.`,
  });
}

async function unpacked(bytes: Uint8Array, topic: string): Promise<z.infer<typeof answerForm>> {
  try {
    const text = await promisify(gunzip)(bytes, { maxOutputLength: LIMIT_BYTES });
    return answerForm.parse(JSON.parse(text.toString()));
  } catch (cause) {
    throw new Retryable({
      code: 'bad-answer',
      message: `The answer of a node to ${topic} cannot be read.`,
      cause,
    });
  }
}
