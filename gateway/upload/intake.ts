import type { Acknowledgement, PayloadStream, UploadPart } from '#actors/messages';
import type { GatewayDependencies } from '../dependencies.ts';
import { pacedUpload } from '../request/client-rates.ts';
import { bodyOf, type GatewayContext } from '../request/context.ts';
import type { Slots } from '../request/slots.ts';
import { UploadBody } from './body.ts';
import type { AuthorisedJob } from './job-object.ts';

/** What the body of a request is: the payload of a job, or a part of it. */
export interface Incoming extends AuthorisedJob {
  /** Bytes that the body must have. */
  readonly length: number;
  readonly part?: UploadPart;
}

/**
 * Hands the body of a request to the pipeline. 200 with an empty body once it is acknowledged; what that is worth
 * stands in `X-Sealion-Durability`.
 * @throws Retryable 406/60003 when too many are being taken, and what the body and the pipeline throw
 */
export type Intake = (
  c: GatewayContext,
  /** Runs once there is room for the upload. */
  incoming: () => Incoming | Promise<Incoming>,
  signal: AbortSignal,
) => Promise<Response>;

/** @param uploads shared by all that take payloads in, so that the limit holds for all of them together */
export function payloadIntake({ objects, limits }: GatewayDependencies, uploads: Slots): Intake {
  return async (c, incoming, signal) => {
    const release = uploads.take();
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
    try {
      const { durability } = await objects.ask<Acknowledgement>(
        (reply) => ({ type: 'upload', request: { ...upload, body: stream, signal }, reply }),
        { signal },
      );
      c.header('X-Sealion-Durability', durability);
      return c.body(null, 200);
    } catch (error) {
      // The fault of the body says more than what the pipeline made of it.
      throw body.failure ?? error;
    } finally {
      c.get('record').bytes = body.received;
    }
  }
}
