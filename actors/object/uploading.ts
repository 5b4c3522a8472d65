import { setTimeout as sleep } from 'node:timers/promises';
import { Retryable, type SealionError, toSealionError } from '../../protocols/errors.ts';
import type { Hex } from '../../protocols/greenfield/types.ts';
import { integrityHash } from '../../protocols/integrity/checksums.ts';
import { segmentKey } from '../../protocols/payload/keys.ts';
import { planPayload } from '../../protocols/payload/plan.ts';
import type { Ended, Outcome, Reply } from '../../runtime/actors/types.ts';
import type { Acknowledgement, UploadRequest } from '../messages.ts';
import { uploader } from '../uploader.ts';
import { idle, logFailure, type Work } from './work.ts';

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
  try {
    const deadlineAt = Date.now() + ports.timing.jobDeadlineMs;
    if (!log.current) {
      await log.record({ type: 'Create', id: work.job, object: request.object, deadlineAt });
    } else if (log.current.state === 'UPLOAD_OBJECT_DOING' && !work.client) {
      await log.record({ type: 'FailUpload', failure: ownerLost() });
    }
    await log.record({ type: 'StartUpload', deadlineAt });
  } catch (error) {
    reply.reject(error);
    if (!work.client && !work.lease) idle(work);
    return;
  }
  work.client = reply;
  const child = uploader({
    context: log.context,
    body: request.body,
    pieces: ports.pieces,
    parent: ctx.self,
  });
  const attempt = log.context.uploadAttempt;
  ctx.watch(ctx.spawn('uploader', child), (end) => ({ type: 'uploader-ended', attempt, end }));
}

/** An uploader that ends without a word has failed. */
export async function loseUploader(work: Work, attempt: number, end: Ended): Promise<void> {
  const { state, uploadAttempt } = work.log.context;
  if (state !== 'UPLOAD_OBJECT_DOING' || uploadAttempt !== attempt) return;
  await failUpload(work, end.error ?? interrupted());
}

/** The uploader has ended: every segment is stored, or the upload has failed. */
export async function endUpload(work: Work, outcome: Outcome<readonly Hex[]>): Promise<void> {
  const child = work.ctx.child<never>('uploader');
  if (child) await work.ctx.stop(child);
  if (!outcome.ok) return failUpload(work, outcome.error);
  const segmentChecksums = outcome.value;
  try {
    await work.log.record({
      type: 'CompleteUpload',
      segmentChecksums,
      integrityHash: integrityHash(segmentChecksums),
    });
  } catch (error) {
    return failUpload(work, toSealionError(error));
  }
  work.ctx.say({ doing: 'queueing the job', waitsFor: 'the work queue' });
  work.ctx.pipe(
    (signal) => enqueue(work, signal),
    (queued) => ({ type: 'enqueued', outcome: queued }),
  );
}

/** Only now is the payload acknowledged (design §3). Without a queue entry the caretaker makes one later. */
export function acknowledge(work: Work, outcome: Outcome<unknown>): void {
  const { client, log } = work;
  delete work.client;
  if (outcome.ok && log.context.payload) {
    client?.resolve({
      job: work.job,
      integrityHash: log.context.payload.integrityHash,
      durability: work.ports.durability,
    });
  } else if (!outcome.ok) {
    client?.reject(outcome.error);
  }
  if (work.lease) return;
  work.ctx.say({ doing: 'uploaded', waitsFor: 'its turn in the work queue' });
  work.ctx.after(LEASE_WAIT_MS, { type: 'lease-awaited' });
}

/** The failure is persisted, then its segments go, then the client hears of it. */
async function failUpload(work: Work, error: SealionError): Promise<void> {
  const { client, log, ports } = work;
  logFailure(work, 'upload', error);
  const { code, message, advice } = error;
  await log.record({
    type: 'FailUpload',
    failure: { code, message, ...(advice ? { advice } : {}), resume: 'UPLOAD_OBJECT_DOING' },
  });
  delete work.client;
  client?.reject(error);
  work.ctx.say({ doing: 'removing what a failed upload has stored' });
  const { segmentCount } = planPayload(log.context.object);
  for (let index = 0; index < segmentCount; index += 1) {
    await ports.pieces.delete(segmentKey(work.job, index), { signal: work.ctx.signal });
  }
  idle(work);
}

async function enqueue(work: Work, signal: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await work.ports.queue.enqueue(work.job, { signal });
      return;
    } catch (error) {
      if (tries === ENQUEUE_TRIES || toSealionError(error).kind !== 'retryable') throw error;
      await sleep(200 * tries, undefined, { signal });
    }
  }
}

function ownerLost() {
  return {
    code: 'owner-lost',
    message: 'The node that received the payload has gone before the end.',
    advice: 'Upload the object again.',
    resume: 'UPLOAD_OBJECT_DOING',
  } as const;
}

/** What a client is told when its upload broke off for a reason that is not its own. */
export function interrupted(): Retryable {
  return new Retryable({
    code: 'upload-interrupted',
    message: 'The upload broke off inside the provider.',
    advice: 'Upload the object again.',
    gatewayCode: 115001,
  });
}
