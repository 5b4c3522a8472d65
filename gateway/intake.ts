import type { Acknowledgement, UploadPart } from '../actors/messages.ts';
import type { DescribedJob } from './job-object.ts';
import type { GatewayParts } from './parts.ts';
import { bodyOf, type GatewayContext } from './request.ts';
import { Slots } from './slots.ts';
import { UploadBody } from './upload-body.ts';

/** What the body of a request is: the payload of a job, or a part of it. */
export interface Incoming extends DescribedJob {
  /** Bytes that the body must have. */
  readonly length: number;
  readonly part?: UploadPart;
}

/**
 * Hands the body of a request to the pipeline. 200 with an empty body once it is acknowledged; what that is worth
 * stands in `X-Sealion-Durability`.
 * @throws Retryable 406/60003 when too many are being taken, and what the body and the pipeline throw
 */
export type Intake = (c: GatewayContext, incoming: Incoming, signal: AbortSignal) => Promise<Response>;

/** All that take payloads in share one intake, so that its limits hold for all of them together. */
export function payloadIntake({ objects, limits }: GatewayParts): Intake {
  const uploads = new Slots(limits.maxUploads, 'uploads');
  return async (c, { length, ...upload }, signal) => {
    const release = uploads.take();
    const body = new UploadBody(bodyOf(c), { length, limits, signal });
    try {
      const { durability } = await objects.ask<Acknowledgement>(
        (reply) => ({ type: 'upload', request: { ...upload, body, signal }, reply }),
        { signal },
      );
      c.header('X-Sealion-Durability', durability);
      return c.body(null, 200);
    } catch (error) {
      // The fault of the body says more than what the pipeline made of it.
      throw body.failure ?? error;
    } finally {
      c.get('record').bytes = body.received;
      release();
    }
  };
}
