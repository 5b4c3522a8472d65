import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Retryable, type SealionError, toSealionError } from '../../protocols/errors.ts';
import { integrityHash } from '../../protocols/integrity/checksums.ts';
import type { FailedTry } from '../../protocols/job/commands.ts';
import type { Ended, Outcome, Reply } from '../../runtime/actors/types.ts';
import type { Order } from '../job-log.ts';
import type { Acknowledgement, UploadRequest } from '../messages.ts';
import { type StoredPayload, uploader } from '../uploader.ts';
import { discardOwnSegments } from './cleaning.ts';
import { logFailure, record, type Work } from './work.ts';

/** How long the owner of a fresh upload waits for its own task, before it leaves it to another node; ms. */
const LEASE_WAIT_MS = 30_000;
const ENQUEUE_TRIES = 5;

/** Takes a PUT: the job is persisted before a byte is admitted. */
export async function beginUpload(
  work: Work,
  request: UploadRequest,
  reply: Reply<Acknowledgement>,
): Promise<void> {
  const { log, ctx, ports } = work;
  const { object } = request;
  const start: Order = {
    type: 'StartUpload',
    deadlineAt: Date.now() + ports.timing.jobDeadlineMs,
    // An update that was called off and announced again has the same version, and other content.
    ...(log.current && !isDeepStrictEqual(log.current.object, object) && { object }),
  };
  const ownerless = log.current?.state === 'UPLOAD_OBJECT_DOING' && !work.client;
  const refusal = log.current && !ownerless ? log.refusal(start) : undefined;
  if (refusal) return reply.reject(refusal);

  work.client = reply;
  if (!log.current) {
    await record(work, { type: 'Create', id: work.job, object, deadlineAt: start.deadlineAt });
  } else if (ownerless) {
    await record(work, { type: 'FailUpload', failure: ownerLost() });
  }
  const context = await record(work, start);
  const attempt = context.uploadAttempt;
  ctx.say({ doing: `taking the payload, attempt ${attempt}`, waitsFor: 'the uploader' });
  const child = uploader({ context, body: request.body, pieces: ports.pieces, parent: ctx.self });
  ctx.watch(ctx.spawn('uploader', child), (end) => ({ type: 'uploader-ended', attempt, end }));
}

/** An uploader that ends without a word has failed. */
export async function loseUploader(work: Work, attempt: number, end: Ended): Promise<void> {
  const { state, uploadAttempt } = work.log.context;
  if (state !== 'UPLOAD_OBJECT_DOING' || uploadAttempt !== attempt) return;
  await failUpload(work, end.error ?? interrupted());
}

/** The uploader has ended: every segment is stored, or the upload has failed. */
export async function endUpload(work: Work, outcome: Outcome<StoredPayload>): Promise<void> {
  const { ctx, log } = work;
  const child = ctx.child<never>('uploader');
  if (child) await ctx.stop(child);
  if (!outcome.ok) return failUpload(work, outcome.error);
  const stored = outcome.value;
  const complete: Order = {
    type: 'CompleteUpload',
    ...stored,
    integrityHash: integrityHash(stored.segmentChecksums),
  };
  const refusal = log.refusal(complete);
  if (refusal) return failUpload(work, refusal);
  await record(work, complete);
  work.storedPayload = true;
  ctx.say({ doing: 'queueing the job', waitsFor: 'the work queue' });
  ctx.pipe(
    (signal) => enqueue(work, signal),
    (queued) => ({ type: 'enqueued', outcome: queued }),
  );
}

/** Only now is the payload acknowledged (design §3). Without a queue entry the caretaker makes one later. */
export function acknowledge(work: Work, outcome: Outcome<unknown>): void {
  const { client, log, ctx, job, ports } = work;
  const { payload } = log.context;
  delete work.client;
  if (outcome.ok && payload) {
    client?.resolve({ job, integrityHash: payload.integrityHash, durability: ports.durability });
  } else {
    client?.reject(outcome.ok ? interrupted() : outcome.error);
  }
  if (work.lease || !outcome.ok) return;
  work.awaitsLease = true;
  ctx.say({ doing: 'uploaded', waitsFor: 'its turn in the work queue' });
  ctx.after(LEASE_WAIT_MS, { type: 'lease-awaited' });
}

/** The failure is persisted; then the client hears of it, and the segments go. */
async function failUpload(work: Work, error: SealionError): Promise<void> {
  logFailure(work, 'upload', error);
  const { code, message, advice } = error;
  await record(work, {
    type: 'FailUpload',
    failure: { code, message, ...(advice !== undefined && { advice }), resume: 'UPLOAD_OBJECT_DOING' },
  });
  work.client?.reject(error);
  delete work.client;
  await discardOwnSegments(work);
}

async function enqueue({ job, ports }: Work, signal: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await ports.queue.enqueue(job, { signal });
      return;
    } catch (error) {
      if (tries === ENQUEUE_TRIES || toSealionError(error).kind !== 'retryable') throw error;
      await sleep(200 * tries, undefined, { signal });
    }
  }
}

function ownerLost(): FailedTry {
  return {
    code: 'owner-lost',
    message: 'The node that received the payload has gone before the end.',
    advice: 'Upload the object again.',
    resume: 'UPLOAD_OBJECT_DOING',
  };
}

function interrupted(): Retryable {
  return new Retryable({
    code: 'upload-interrupted',
    message: 'The upload broke off inside the provider.',
    advice: 'Upload the object again.',
    gatewayCode: 115001,
  });
}
