import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Retryable, type SealionError, Terminal, toSealionError } from '#protocols/errors';
import type { Hex } from '#protocols/greenfield/types';
import { integrityHash } from '#protocols/integrity/checksums';
import { isAnotherLife } from '#protocols/job/announcement';
import type { JobContext } from '#protocols/job/context';
import { planPayload } from '#protocols/payload/plan';
import type { Ended, Outcome, Reply } from '#runtime/actors/types';
import type { Order } from '../../job-log.ts';
import type { Acknowledgement, UploadRequest } from '../../messages.ts';
import type { Gone } from '../seal/chain-status.ts';
import { uploader } from '../upload/uploader.ts';
import { askBeforeAnswer, endUnwanted } from './before-answer.ts';
import { discardOwnSegments } from './cleaning.ts';
import { endPart, partsLost } from './parts.ts';
import { inspectPayload, type StoredPayload } from './stored-payload.ts';
import { endGeneration, type Intake, logFailure, pipe, record, refuseClient, type Work } from './work.ts';

/** How long the owner of a new upload waits for the lease on it, before leaving the job to another node; ms. */
const LEASE_WAIT_MS = 30_000;
/** A client waits meanwhile: about half a minute at most, with the ten seconds of each (runtime/jobs/work-queue.ts). */
const ENQUEUE_TRIES = 3;
/** After this time without a byte, a request is replaced by a new one from the same account; ms. */
const SILENT_MS = 5_000;

type StartUpload = Extract<Order, { type: 'StartUpload' }>;

/**
 * Begins a PUT or a part: the job is persisted before a byte is admitted. Rejected while another request for the object
 * is in progress, unless that client has gone silent and this one uses the same account, or other content has been
 * announced since.
 */
export async function beginUpload(
  work: Work,
  request: UploadRequest,
  client: Reply<Acknowledgement>,
): Promise<void> {
  const { log, ctx, ports } = work;
  const { object, part, body } = request;
  const start: StartUpload = {
    type: 'StartUpload',
    deadlineAt: Date.now() + ports.timing.jobDeadlineMs,
    ...(log.current && !isDeepStrictEqual(log.current.object, object) && { object }),
    ...(part && { inParts: true }),
    ...(request.trace !== undefined && { trace: request.trace }),
  };
  const { current } = log;
  const anotherLife = current !== undefined && isAnotherLife(current, object);
  const silent = isSilent(work.intake, request);
  const mayBegin = !work.intake || silent;
  const ownerless = current?.state === 'UPLOAD_OBJECT_DOING' && mayBegin && !anotherLife;
  const refusal = current && !ownerless ? log.refusal(start) : undefined;
  if (refusal) return client.reject(refusal);

  await endGeneration(work, silent ? takenOver() : replaced());
  work.intakes += 1;
  const { intakes: number } = work;
  work.intake = { number, client, account: request.account, body, ...(part && { part }), receiving: true };
  const context = await admit(work, request, start, silent ? takenOver() : ownerLost());
  if (anotherLife) await discardOwnSegments(work, current);
  ctx.say({ doing: `receiving the payload, attempt ${context.uploadAttempt}`, waitsFor: 'the uploader' });
  const range = part ?? { firstSegment: 0, segmentCount: planPayload(context.object).segmentCount };
  const child = uploader({ intake: number, context, range, body, pieces: ports.pieces, parent: ctx.self });
  ctx.watch(ctx.spawn('uploader', child), (end) => ({ type: 'uploader-ended', intake: number, end }));
}

/** True when the running request is from the same account, and its connection appears to be dead. */
function isSilent(running: Intake | undefined, { account }: UploadRequest): boolean {
  return running?.receiving === true && running.account === account && running.body.silentMs() >= SILENT_MS;
}

/**
 * Starts an upload attempt, unless this is the next part of the current one.
 * @param why the reason for which the current attempt ends otherwise
 */
async function admit(
  work: Work,
  { object, part }: UploadRequest,
  start: StartUpload,
  why: SealionError,
): Promise<JobContext> {
  const { current } = work.log;
  if (!current) {
    await record(work, { type: 'Create', id: work.job, object, deadlineAt: start.deadlineAt });
  } else if (current.state === 'UPLOAD_OBJECT_DOING' && !isAnotherLife(current, object)) {
    if (part && current.storedSegments && !start.object) return current;
    const { code, message } = current.storedSegments ? startedOver() : why;
    await record(work, { type: 'FailUpload', failure: { code, message, resume: 'UPLOAD_OBJECT_DOING' } });
  }
  return record(work, start);
}

/** An uploader that ends without a report has failed. */
export async function onUploaderEnded(work: Work, intake: number, end: Ended): Promise<void> {
  if (work.intake?.number !== intake || !work.intake.receiving) return;
  await failIntake(work, end.error ?? interrupted());
}

/** The uploader has reported: every segment of the request is stored, or the upload failed. */
export async function endUpload(work: Work, number: number, outcome: Outcome<readonly Hex[]>): Promise<void> {
  const { ctx, intake } = work;
  if (intake?.number !== number) return;
  intake.receiving = false;
  const child = ctx.child<never>('uploader');
  if (child) await ctx.stop(child);
  if (!outcome.ok) return failIntake(work, outcome.error);
  const { value: checksums } = outcome;
  ctx.say({ doing: 'checking whether the object still waits for the payload', waitsFor: 'the chain' });
  pipe(
    work,
    (signal) => askBeforeAnswer(work, signal),
    (asked) => ({ type: 'asked-before-answer', checksums, outcome: asked }),
  );
}

/** The payload, or its part, is stored; continues if the chain still waits for it. */
export async function storeUpload(
  work: Work,
  checksums: readonly Hex[],
  outcome: Outcome<Gone | undefined>,
): Promise<void> {
  if (!outcome.ok) return failIntake(work, outcome.error);
  if (outcome.value) return endUnwanted(work, outcome.value);
  const part = work.intake?.part;
  const segmentChecksums = part ? await endPart(work, part, checksums) : checksums;
  if (segmentChecksums) inspect(work, segmentChecksums);
}

/** All segments are stored: checks them, and computes what else the job needs to know of the payload. */
function inspect(work: Work, segmentChecksums: readonly Hex[]): void {
  const { ctx, log, ports } = work;
  ctx.say({ doing: 'checking the stored payload', waitsFor: 'the PieceStore' });
  pipe(
    work,
    (signal) => inspectPayload(log.context, segmentChecksums, ports, signal),
    (outcome) => ({ type: 'payload-inspected', outcome }),
  );
}

/** The whole payload has been checked: completes the upload, and queues the job. */
export async function completeUpload(work: Work, outcome: Outcome<StoredPayload>): Promise<void> {
  const { ctx, log, ports, intake } = work;
  if (!outcome.ok) return failIntake(work, outcome.error);
  const stored = outcome.value;
  if ('lost' in stored) return failUpload(work, partsLost(stored.lost));
  const complete: Order = {
    type: 'CompleteUpload',
    ...stored,
    integrityHash: integrityHash(stored.segmentChecksums),
    // An upload in parts may have taken long; the time to the seal begins only now.
    ...(intake?.part && { deadlineAt: Date.now() + ports.timing.jobDeadlineMs }),
  };
  const refusal = log.refusal(complete);
  if (refusal) return failUpload(work, refusal);
  await record(work, complete);
  work.storedPayload = true;
  ctx.say({ doing: 'queueing the job', waitsFor: 'the work queue' });
  pipe(
    work,
    (signal) => enqueue(work, signal),
    (queued) => ({ type: 'enqueued', outcome: queued }),
  );
}

/**
 * Acknowledges the payload, only after the job is queued (ARCHITECTURE.md#the-job-machine). If that failed, the
 * caretaker queues the job later.
 */
export function acknowledge(work: Work, outcome: Outcome<unknown>): void {
  const { log, ctx, job, ports } = work;
  const { client } = work.intake ?? {};
  const { payload } = log.context;
  delete work.intake;
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

/** A failed part loses only its own segments: the upload waits until it is sent again. */
async function failIntake(work: Work, error: SealionError): Promise<void> {
  if (!work.intake?.part) return failUpload(work, error);
  logFailure(work, 'part', error);
  refuseClient(work, error);
}

/** Persists the failure, answers the client, and deletes the segments. */
export async function failUpload(work: Work, error: SealionError): Promise<void> {
  logFailure(work, 'upload', error);
  const { code, message, advice } = error;
  await record(work, {
    type: 'FailUpload',
    failure: { code, message, ...(advice !== undefined && { advice }), resume: 'UPLOAD_OBJECT_DOING' },
  });
  refuseClient(work, error);
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

function ownerLost(): Retryable {
  return new Retryable({
    code: 'owner-lost',
    message: 'The node that received the payload stopped before the end of the upload.',
  });
}

function startedOver(): Terminal {
  return new Terminal({
    code: 'upload-started-over',
    message: 'A new upload replaced an incomplete upload in parts.',
  });
}

/** The answer to the silent client, if it still listens. */
function takenOver(): Terminal {
  return new Terminal({
    code: 'upload-taken-over',
    message: `The client had sent nothing for ${SILENT_MS / 1000} s when the same account started to upload the object again.`,
    advice: 'The newer upload continues; ask for its progress.',
    gatewayCode: 110005,
  });
}

/** The answer to a client whose upload ends because other content was announced. */
function replaced(): Terminal {
  return new Terminal({
    code: 'content-not-awaited',
    message: 'Other content was announced and is being uploaded instead.',
    gatewayCode: 110002,
  });
}

function interrupted(): Retryable {
  return new Retryable({
    code: 'upload-interrupted',
    message: 'The upload was interrupted inside the provider.',
    advice: 'Upload the object again.',
    gatewayCode: 115001,
  });
}
