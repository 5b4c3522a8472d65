import type { Acknowledgement, PayloadStream, UploadPart } from '#actors/messages';
import { Retryable } from '#protocols/errors';
import type { GatewayDependencies } from '../dependencies.ts';
import { pacedUpload } from '../request/client-rates.ts';
import { bodyOf, type GatewayContext } from '../request/context.ts';
import type { DividedSlots } from '../request/slots.ts';
import { UploadBody } from './body.ts';
import type { AuthorisedJob } from './job-object.ts';

/** The payload of a job, or a part of it, that is the body of a request. */
export interface Incoming extends AuthorisedJob {
  /** Exact length of the body, bytes. */
  readonly length: number;
  readonly part?: UploadPart;
}

/**
 * Passes the body of a request to the pipeline. The answer is 200 with an empty body once the pipeline has acknowledged
 * it; `X-Sealion-Durability` says how durable that is.
 * @throws Retryable 406/60003 when an operator has paused uploads, or too many uploads are in progress, of all clients or of this one; as the body and the pipeline
 */
export type Intake = (
  c: GatewayContext,
  /** Runs once there is room for the upload. */
  incoming: () => Incoming | Promise<Incoming>,
  signal: AbortSignal,
) => Promise<Response>;

/** @param uploads shared by all handlers that receive payloads, so that its limit applies to all of them together */
export function payloadIntake(
  { objects, limits, isPaused = () => false }: GatewayDependencies,
  uploads: DividedSlots,
): Intake {
  return async (c, incoming, signal) => {
    if (isPaused()) throw intakePaused();
    const release = uploads.take(c.get('share').names);
    try {
      const { length, ...upload } = await incoming();
      return await take(c, upload, new UploadBody(bodyOf(c), { length, limits, signal }), signal);
    } finally {
      release();
    }
  };

  async function take(
    c: GatewayContext,
    upload: Omit<Incoming, 'length'>,
    body: UploadBody,
    signal: AbortSignal,
  ): Promise<Response> {
    const stream: PayloadStream = {
      silentMs: () => body.silentMs(),
      [Symbol.asyncIterator]: () => pacedUpload(body, c.get('share'), signal),
    };
    const trace = c.get('trace');
    try {
      const { durability } = await objects.ask<Acknowledgement>(
        (reply) => ({
          type: 'upload',
          request: { ...upload, body: stream, signal, ...(trace !== undefined && { trace }) },
          reply,
        }),
        { signal },
      );
      c.header('X-Sealion-Durability', durability);
      return c.body(null, 200);
    } catch (error) {
      // The body's own failure is more specific than the pipeline's.
      throw body.failure ?? error;
    } finally {
      c.get('record').bytes = body.received;
    }
  }
}

function intakePaused(): Retryable {
  return new Retryable({
    code: 'intake-paused',
    message: 'This node accepts no uploads at the moment.',
    advice: 'Try again later, or at another node.',
    gatewayCode: 60003,
    retryAfterMs: 30_000,
  });
}
