import { Retryable, Terminal } from '#protocols/errors';
import { currentContent } from '#protocols/greenfield/content';
import type { Hex } from '#protocols/greenfield/types';
import type { JobId } from '#protocols/job/identity';
import { type PayloadPlan, planPayload } from '#protocols/payload/plan';
import type { Turns } from '#runtime/load/turns';
import { type FoundObject, isPublic } from '../access/permission.ts';
import type { GatewayDependencies } from '../dependencies.ts';
import { pacedDownload } from '../request/client-rates.ts';
import type { GatewayContext } from '../request/context.ts';
import { answerTo } from '../request/errors.ts';
import { DividedSlots } from '../request/slots.ts';
import { ClientPace } from './client-pace.ts';
import { type Disposition, dispositionHeaders } from './disposition.ts';
import { httpDate } from './http-date.ts';
import { jobProgress } from './job-progress.ts';
import { readPayload } from './payload-reader.ts';
import { payloadResponse } from './payload-response.ts';
import { type Passage, writeDirectly } from './payload-writer.ts';
import { evaluate, type Validators } from './preconditions.ts';
import { type ByteRange, readRange } from './range.ts';

/** A payload stored by this primary. */
interface StoredPayload {
  readonly job: JobId;
  readonly plan: PayloadPlan;
  /** Integrity hash of the primary; undefined for an empty object, which has none on chain. */
  readonly integrityHash: Hex | undefined;
}

/**
 * Answers a permitted GET or HEAD with the payload, or a range of it, of an object that is sealed or, before its seal,
 * fully uploaded; or with 304 or 412 according to the conditions of the request (RFC 9110 §13).
 * @param disposition whether a browser shows or saves the payload; by default the browser decides
 * @throws Terminal 400/30002 for a payload that is not stored, 412/50412 for a condition that does not hold,
 * 416/50012 for a range outside the payload; Retryable 406/60003 when too many downloads are in progress
 */
export type Delivery = (
  c: GatewayContext,
  found: FoundObject,
  signal: AbortSignal,
  disposition?: Disposition,
) => Promise<Response>;

/** Seconds for which caches may serve a public object without asking whether it was updated. */
const FRESH_SECONDS = 5;

/** All handlers that serve payloads share one delivery, so that its limits apply to all of them together. */
export function payloadDelivery(dependencies: GatewayDependencies, turns: Turns): Delivery {
  const { limits, metrics } = dependencies;
  const downloads = new DividedSlots(limits.maxDownloads, 'downloads');
  metrics?.watchBound({
    what: 'downloads',
    unit: 'items',
    limit: () => downloads.most,
    used: () => downloads.used,
  });
  return async (c, found, signal, disposition) => {
    const stored = await findPayload(dependencies, found, signal);
    const validators = validatorsOf(found, stored);
    const verdict = evaluate((name) => c.req.header(name), validators);
    if (verdict === 'failed') throw preconditionFailed();
    const caching = cachingHeaders(found, validators);
    if (verdict === 'not-modified') return c.body(null, 304, caching);
    const size = stored.plan.payloadSize;
    const isGet = c.req.method === 'GET';
    const range = isGet && verdict === 'as-asked' ? readRange(c.req.header('Range'), size) : undefined;
    if (range === 'unsatisfiable') {
      c.header('Content-Range', `bytes */${size}`);
      throw unsatisfiable(size);
    }
    const { contentType, objectName } = found.onChain.object;
    const headers = {
      ...caching,
      ...headersOf(contentType, size, range),
      ...(disposition && dispositionHeaders(disposition, objectName, contentType)),
    };
    if (!isGet) return c.body(null, 200, headers);
    const release = downloads.take(c.get('share').names);
    try {
      return c.body(
        await send(dependencies, c, stored, { range, signal, release, turns }),
        range ? 206 : 200,
        headers,
      );
    } catch (error) {
      release();
      throw error;
    }
  };
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
      integrityHash: object.checksums[0],
    };
  }
  const context = object.status === 'CREATED' ? await jobProgress(objects, found, signal) : undefined;
  if (context?.payload && context.state !== 'OBJECT_DISCONTINUED') {
    const { integrityHash } = context.payload;
    return { job: context.id, plan: planPayload(context.object), integrityHash };
  }
  const facts = {
    code: 'payload-not-here',
    message: `The payload of "${object.objectName}" cannot be read: the object is ${object.status}.`,
    ...(object.status === 'CREATED' && { advice: 'Upload it first.' }),
    gatewayCode: 30002,
  };
  throw context?.state === 'UPLOAD_OBJECT_DOING' ? new Retryable(facts) : new Terminal(facts);
}

/**
 * The entity tag includes the hash, since a version number alone does not identify a content: the chain gives the
 * number of a cancelled update to the next one.
 */
function validatorsOf({ onChain }: FoundObject, { job, integrityHash }: StoredPayload): Validators {
  const { announcedAt } = currentContent(onChain);
  return {
    etag: `"${job.objectId}.${job.version}-${integrityHash ?? announcedAt}"`,
    lastModified: announcedAt,
    replaces: onChain.object.updatedAt > 0,
  };
}

function cachingHeaders(found: FoundObject, { etag, lastModified }: Validators): Record<string, string> {
  const mayBeShared = isPublic(found) && found.onChain.object.status === 'SEALED';
  return {
    ETag: etag,
    'Last-Modified': httpDate(lastModified),
    'Cache-Control': mayBeShared ? `public, max-age=${FRESH_SECONDS}, must-revalidate` : 'private, no-store',
  };
}

function headersOf(contentType: string, size: number, range: ByteRange | undefined): Record<string, string> {
  return {
    // The chain accepts any text as a content type, HTTP does not.
    'Content-Type': /^[\t\x20-\x7e]+$/.test(contentType) ? contentType : 'application/octet-stream',
    'Content-Length': String(range?.length ?? size),
    'Accept-Ranges': 'bytes',
    ...(range && { 'Content-Range': `bytes ${range.offset}-${range.offset + range.length - 1}/${size}` }),
  };
}

function preconditionFailed(): Terminal {
  return new Terminal({
    code: 'precondition-failed',
    message: 'The object has changed: it does not meet the condition of the request.',
    advice: 'Read the whole object again.',
    gatewayCode: 50412,
  });
}

function unsatisfiable(size: number): Terminal {
  return new Terminal({
    code: 'bad-range',
    message: `The range is outside the payload of ${size} bytes.`,
    advice: 'Request a range within the payload, for example bytes=0-1023.',
    gatewayCode: 50012,
  });
}

interface Sending {
  readonly range: ByteRange | undefined;
  readonly signal: AbortSignal;
  /** Called at the end of the response. */
  readonly release: () => void;
  readonly turns: Turns;
}

/** Starts the response. */
async function send(
  { pieces, limits, repairer }: GatewayDependencies,
  c: GatewayContext,
  { job, plan }: StoredPayload,
  { range, signal, release, turns }: Sending,
): Promise<ReadableStream<Uint8Array>> {
  const record = c.get('record');
  const trace = c.get('trace');
  const traced = trace === undefined ? {} : { trace };
  const recover =
    repairer &&
    ((segmentIndex: number, until: AbortSignal) =>
      repairer.ask<Uint8Array>(
        (reply) => ({ type: 'recover-segment', job, segmentIndex, ...traced, reply }),
        {
          signal: until,
        },
      ));
  const pace = new ClientPace({
    idleTimeoutMs: limits.idleTimeoutMs,
    minBytesPerSecond: limits.minDownloadBytesPerSecond,
  });
  const passage: Passage = { isDirect: false };
  const source = {
    pieces,
    job,
    plan,
    ...(recover && { recover }),
    atMost: () => pace.portion,
    isDone: () => passage.isDirect,
  };
  const stored = readPayload(source, range ?? { offset: 0, length: plan.payloadSize }, signal);
  const chunks = pacedDownload(stored, c.get('share'), signal);
  const { body, ended } = await payloadResponse(chunks, {
    pace,
    turns,
    outgoing: c.env?.outgoing,
    onChunk: (bytes) => {
      record.bytes += bytes;
    },
  });
  writeDirectly(body, passage);
  record.sent = ended.then((failure) => {
    release();
    if (failure) record.failure = { code: answerTo(failure).code, error: failure };
  });
  return body;
}
