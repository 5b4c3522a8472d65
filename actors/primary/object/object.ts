import { Terminal } from '#protocols/errors';
import { formatJobId, type JobId } from '#protocols/job/identity';
import type { Behaviour, Ref } from '#runtime/actors/types';
import { JobLog } from '../job-log.ts';
import type { PrimaryPorts } from '../ports.ts';
import { afterLook, endAllocation, takeLease } from './advance.ts';
import type { Idle, ObjectMessage } from './messages.ts';
import { afterCheck, completeSecondary, endColumn, endOverdue } from './replicating.ts';
import { endReject, endRejectSigning, endSeal, endSigning } from './sealing.ts';
import {
  acknowledge,
  beginUpload,
  completeUpload,
  endUpload,
  loseUploader,
  storeUpload,
} from './uploading.ts';
import { record, redeliverMs, rest, type Work } from './work.ts';

export interface ObjectOptions {
  readonly job: JobId;
  readonly ports: PrimaryPorts;
  readonly parent: Ref<Idle>;
}

/**
 * Owns one job: recovers its JobContext from the journal, receives the payload, and from the acknowledgement on
 * brings it to the seal, one phase after the other. Every change is persisted before it is acted on.
 */
export function objectActor(options: ObjectOptions): Behaviour<ObjectMessage, Work> {
  return {
    kind: 'object',

    async start(ctx) {
      const { job, ports, parent } = options;
      ctx.say({ doing: 'looking for another owner', waitsFor: 'the directory' });
      const owner = await ports.directory.find(job, { signal: ctx.signal });
      if (owner) throw ownedElsewhere(job, owner.node);
      ctx.say({ doing: 'recovering the job', waitsFor: 'the journal' });
      const log = await JobLog.open(job, ports, ctx.signal);
      const since = Date.now();
      const entry = await ports.directory.own(job, () => ({
        node: ports.node,
        state: log.current?.state ?? 'INIT_UNSPECIFIED',
        since,
      }));
      return {
        job,
        ports,
        parent,
        log,
        ctx,
        disown: () => entry.release(),
        handled: 0,
        effort: new AbortController(),
        takings: 0,
        awaitsLease: false,
        storedPayload: false,
        rejectsSigned: 0,
        sealsSignedAgain: 0,
      };
    },

    async receive(work, message) {
      await handle(work, message);
      rest(work);
      return work;
    },

    async stopped(work) {
      // In this order: who gets the job next must not find us in the directory.
      await work?.disown();
      if (work?.lease) await work.lease.postpone(redeliverMs(work.lease));
    },
  };
}

async function handle(work: Work, message: ObjectMessage): Promise<void> {
  switch (message.type) {
    case 'upload':
      work.handled += 1;
      return beginUpload(work, message.request, message.reply);
    case 'lease':
      work.handled += 1;
      return takeLease(work, message.lease);
    case 'progress':
      work.handled += 1;
      return message.reply.resolve(work.log.current);
    case 'piped':
      return message.effort.aborted ? undefined : handle(work, message.message);
    case 'discard-segment':
      if (message.taking !== work.taking?.number) return;
      await record(work, { type: 'DiscardSegment', segmentIndex: message.segmentIndex });
      return message.reply.resolve();
    case 'uploaded':
      return endUpload(work, message.taking, message.outcome);
    case 'uploader-ended':
      return loseUploader(work, message.taking, message.end);
    case 'asked-before-answer':
      return storeUpload(work, message.checksums, message.outcome);
    case 'payload-inspected':
      return completeUpload(work, message.outcome);
    case 'enqueued':
      return acknowledge(work, message.outcome);
    case 'lease-awaited':
      work.awaitsLease = false;
      return;
    case 'looked':
      return afterLook(work, message.outcome);
    case 'allocated':
      return endAllocation(work, message.outcome);
    case 'secondary-completed':
      return completeSecondary(work, message.receipt);
    case 'replicator-ended':
      return endColumn(work, message.round, message.redundancyIndex, message.end);
    case 'overdue':
      return endOverdue(work);
    case 'segments-checked':
      return afterCheck(work, message.failure, message.outcome);
    case 'signed':
      return endSigning(work, message.outcome);
    case 'seal-settled':
      return endSeal(work, message.outcome);
    case 'reject-signed':
      return endRejectSigning(work, message.outcome);
    case 'reject-settled':
      return endReject(work, message.outcome);
    case 'still-idle':
  }
}

function ownedElsewhere(job: JobId, node: string): Terminal {
  return new Terminal({
    code: 'upload-in-progress',
    message: `Object ${formatJobId(job)} is being worked on by ${node}.`,
    advice: 'Wait for the running upload to end, or ask for its progress.',
    gatewayCode: 110003,
  });
}
