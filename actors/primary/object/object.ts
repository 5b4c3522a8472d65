import { setTimeout as sleep } from 'node:timers/promises';
import { Terminal } from '#protocols/errors';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Behaviour, Context, Ref } from '#runtime/actors/types';
import type { Directory } from '#runtime/home/home';
import { JobLog } from '../../job-log.ts';
import type { PrimaryPorts } from '../ports.ts';
import { advance } from './advance.ts';
import { endAllocation } from './allocating.ts';
import { giveUp } from './giving-up.ts';
import { afterRecoveryCheck, takeLease } from './leasing.ts';
import type { Idle, ObjectMessage } from './messages.ts';
import { afterCheck, completeSecondary, endOverdue, endReplicator } from './replicating.ts';
import { endReject, endRejectSigning, endSeal, endSigning } from './sealing.ts';
import {
  acknowledge,
  beginUpload,
  completeUpload,
  endUpload,
  onUploaderEnded,
  storeUpload,
} from './uploading.ts';
import { beginGeneration, type Next, record, redeliverMs, reportIdle, type Work } from './work.ts';

export interface ObjectOptions {
  readonly job: JobId;
  readonly ports: PrimaryPorts;
  readonly parent: Ref<Idle>;
}

/** How often another node that works on the job is asked, and the pause between two questions, ms: 2 s together. */
const OWNER_ASKS = 40;
const OWNER_POLL_MS = 50;

/**
 * Owns one job: recovers its JobContext from the journal, receives the payload, and after the acknowledgement takes it
 * through one phase after another to the seal. Every change is persisted before it is acted on.
 */
export function objectActor(options: ObjectOptions): Behaviour<ObjectMessage, Work> {
  return {
    kind: 'object',

    async start(ctx) {
      const { job, ports, parent } = options;
      await untilFree(job, ports.directory, ctx);
      ctx.say({ doing: 'recovering the job', waitsFor: 'the journal' });
      const log = await JobLog.open(job, ports, ctx.signal);
      const since = Date.now();
      let work: Work | undefined;
      const entry = await ports.directory.own(job, () => {
        // Whoever asks has the lease that this actor was waiting for, or a client that is to be answered.
        if (work?.awaitsLease) ctx.self.tell({ type: 'lease-awaited' });
        return { node: ports.node, state: log.current?.state ?? 'INIT_UNSPECIFIED', since };
      });
      work = {
        job,
        ports,
        parent,
        log,
        ctx,
        leaveDirectory: () => entry.release(),
        handled: 0,
        generation: beginGeneration(0, ctx.signal),
        intakes: 0,
        awaitsLease: false,
        storedPayload: false,
        rounds: 0,
        isHastened: false,
        rejectsSigned: 0,
        sealsSignedAgain: 0,
      };
      return work;
    },

    async receive(work, message) {
      let next = await handle(work, message);
      while (next === 'advance') next = await advance(work);
      reportIdle(work);
      return work;
    },

    async stopped(work, { signal }) {
      // In this order: the next owner must not find this node in the directory.
      await work?.leaveDirectory();
      if (work?.lease) await work.lease.postpone(redeliverMs(work.lease, signal.reason?.cause));
    },
  };
}

/**
 * Waits until no other node works on the job. One that has just received a part, or the payload, gives it up at once;
 * one that has more to do keeps it.
 */
async function untilFree(job: JobId, directory: Directory, ctx: Context<ObjectMessage>): Promise<void> {
  for (let asks = 1; ; asks += 1) {
    ctx.say({ doing: 'looking for another owner', waitsFor: 'the directory' });
    const owner = await directory.find(job, { signal: ctx.signal });
    if (!owner) return;
    if (asks > OWNER_ASKS) throw ownedElsewhere(job, owner.node);
    ctx.say({ doing: 'waiting until it is free', waitsFor: owner.node });
    await sleep(OWNER_POLL_MS, undefined, { signal: ctx.signal });
  }
}

/** Passes a message to its phase. @returns what to do next */
async function handle(work: Work, message: ObjectMessage): Promise<Next> {
  switch (message.type) {
    case 'upload':
      work.handled += 1;
      await beginUpload(work, message.request, message.reply);
      break;
    case 'lease':
      work.handled += 1;
      return takeLease(work, message.lease);
    case 'progress':
      work.handled += 1;
      message.reply.resolve(work.log.current);
      break;
    case 'give-up':
      work.handled += 1;
      return giveUp(work, message.by, message.reply);
    case 'piped':
      return message.generation === work.generation.number ? handle(work, message.message) : 'wait';
    case 'discard-segment':
      if (message.intake !== work.intake?.number) break;
      await record(work, { type: 'DiscardSegment', segmentIndex: message.segmentIndex });
      message.reply.resolve();
      break;
    case 'uploaded':
      await endUpload(work, message.intake, message.outcome);
      break;
    case 'uploader-ended':
      await onUploaderEnded(work, message.intake, message.end);
      break;
    case 'asked-before-answer':
      await storeUpload(work, message.checksums, message.outcome);
      break;
    case 'payload-inspected':
      await completeUpload(work, message.outcome);
      break;
    case 'enqueued':
      acknowledge(work, message.outcome);
      break;
    case 'lease-awaited':
      work.awaitsLease = false;
      break;
    case 'recovery-checked':
      return afterRecoveryCheck(work, message.outcome);
    case 'allocated':
      return endAllocation(work, message.outcome);
    case 'secondary-completed':
      return completeSecondary(work, message.receipt);
    case 'replicator-ended':
      return endReplicator(work, message.round, message.redundancyIndex, message.end);
    case 'overdue':
      return endOverdue(work);
    case 'segments-checked':
      return afterCheck(work, message.failure, message.outcome);
    case 'signed':
      return endSigning(work, message.outcome);
    case 'seal-ended':
      return endSeal(work, message.outcome);
    case 'reject-signed':
      return endRejectSigning(work, message.outcome);
    case 'reject-ended':
      return endReject(work, message.outcome);
    case 'still-idle':
  }
  return 'wait';
}

function ownedElsewhere(job: JobId, node: string): Terminal {
  return new Terminal({
    code: 'upload-in-progress',
    message: `Object ${formatJobId(job)} is being worked on by ${node}.`,
    advice: 'Wait for the running upload to end, or ask for its progress.',
    gatewayCode: 110003,
  });
}
