import { Retryable, Terminal } from '#protocols/errors';
import { currentContent } from '#protocols/greenfield/content';
import type { JobId } from '#protocols/job/identity';
import { type PayloadPlan, planPayload } from '#protocols/payload/plan';
import type { FoundObject } from '../access/permission.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { paced } from '../request/client-rates.ts';
import type { GatewayContext } from '../request/context.ts';
import { answerTo } from '../request/errors.ts';
import { Slots } from '../request/slots.ts';
import { ClientPace } from './client-pace.ts';
import { jobProgress } from './job-progress.ts';
import { readPayload } from './payload-reader.ts';
import { payloadResponse } from './payload-response.ts';
import { type ByteRange, readRange } from './range.ts';

/** A payload stored by this primary. */
interface StoredPayload {
  readonly job: JobId;
  readonly plan: PayloadPlan;
}

/**
 * Answers a permitted GET or HEAD with the payload, or its range, of an object that is sealed, or fully uploaded
 * and on its way there. Status and headers are those of today's providers (protocols/greenfield/README.md#uploads):
 * 200 also for a range, which has a Content-Range without the total and no Content-Length.
 * @param disposition Content-Disposition for browsers
 * @throws Terminal 400/30002 for a payload that is not stored, 400/50012 for a bad range; Retryable 406/60003 when
 * too many downloads are in progress
 */
export type Delivery = (
  c: GatewayContext,
  found: FoundObject,
  signal: AbortSignal,
  disposition?: string,
) => Promise<Response>;

/** All handlers that serve payloads share one delivery, so that its limits apply to all of them together. */
export function payloadDelivery(dependencies: GatewayDependencies): Delivery {
  const downloads = new Slots(dependencies.limits.maxDownloads, 'downloads');
  return async (c, found, signal, disposition) => {
    const stored = await findPayload(dependencies, found, signal);
    const range = readRange(c.req.header('Range'), stored.plan.payloadSize);
    const headers = {
      ...headersOf(found.onChain.object.contentType, stored.plan.payloadSize, range),
      ...(disposition !== undefined && { 'Content-Disposition': disposition }),
    };
    if (c.req.method === 'HEAD') return c.body(null, 200, headers);
    const release = downloads.take();
    try {
      return c.body(await send(dependencies, c, stored, range, signal, release), 200, headers);
    } catch (error) {
      release();
      throw error;
    }
  };
}

/** Makes browsers save a payload under the name of its object. */
export function asAttachment(objectName: string): string {
  return `attachment; filename="${encodeURIComponent(objectName)}"`;
}

async function findPayload(
  { chain, objects }: GatewayDependencies,
  found: FoundObject,
  signal: AbortSignal,
): Promise<StoredPayload> {
  const { object } = found.onChain;
  if (object.status === 'SEALED') {
    const { version, payloadSize, announcedAt } = currentContent(found.onChain);
    const params = await chain.storageParams(announcedAt, { signal });
    return {
      job: { objectId: object.id, version },
      plan: planPayload({ ...params, redundancy: object.redundancy, payloadSize }),
    };
  }
  const context = object.status === 'CREATED' ? await jobProgress(objects, found, signal) : undefined;
  if (context?.payload && context.state !== 'OBJECT_DISCONTINUED') {
    return { job: context.id, plan: planPayload(context.object) };
  }
  const facts = {
    code: 'payload-not-here',
    message: `The payload of "${object.objectName}" cannot be read: the object is ${object.status}.`,
    ...(object.status === 'CREATED' && { advice: 'Upload it first.' }),
    gatewayCode: 30002,
  };
  throw context?.state === 'UPLOAD_OBJECT_DOING' ? new Retryable(facts) : new Terminal(facts);
}

function headersOf(contentType: string, size: number, range: ByteRange | undefined): Record<string, string> {
  return {
    // The chain takes any text as a content type, HTTP does not.
    'Content-Type': /^[\t\x20-\x7e]+$/.test(contentType) ? contentType : 'application/octet-stream',
    ...(range
      ? { 'Content-Range': `bytes ${range.offset}-${range.offset + range.length - 1}` }
      : { 'Content-Length': String(size) }),
  };
}

/** Starts the response; `release` is called at its end. */
async function send(
  { pieces, limits, repairer }: GatewayDependencies,
  c: GatewayContext,
  { job, plan }: StoredPayload,
  range: ByteRange | undefined,
  signal: AbortSignal,
  release: () => void,
): Promise<ReadableStream<Uint8Array>> {
  const record = c.get('record');
  const recover =
    repairer &&
    ((segmentIndex: number, until: AbortSignal) =>
      repairer.ask<Uint8Array>((reply) => ({ type: 'recover-segment', job, segmentIndex, reply }), {
        signal: until,
      }));
  const pace = new ClientPace({
    idleTimeoutMs: limits.idleTimeoutMs,
    minBytesPerSecond: limits.minDownloadBytesPerSecond,
  });
  const source = { pieces, job, plan, ...(recover && { recover }), atMost: () => pace.portion };
  const stored = readPayload(source, range ?? { offset: 0, length: plan.payloadSize }, signal);
  const chunks = paced(stored, c.get('share'), signal);
  const { body, ended } = await payloadResponse(chunks, {
    pace,
    outgoing: c.env?.outgoing,
    onChunk: (bytes) => {
      record.bytes += bytes;
    },
  });
  record.sent = ended.then((failure) => {
    release();
    if (failure) record.failure = { code: answerTo(failure).code, error: failure };
  });
  return body;
}
