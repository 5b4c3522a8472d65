import { Terminal } from '../../protocols/errors.ts';
import { formatJobId } from '../../protocols/job/identity.ts';
import type { Behaviour, Context } from '../../runtime/actors/types.ts';
import { JobLog } from '../job-log.ts';
import { afterLook, endAllocation, takeLease } from './advancing.ts';
import { completeSecondary, endColumn } from './replicating.ts';
import { endReject, endRejectSigning, endSeal, endSigning } from './sealing.ts';
import { acknowledge, beginUpload, endUpload, interrupted, loseUploader } from './uploading.ts';
import { idle, type ObjectMessage, type ObjectOptions, type Work } from './work.ts';

/** How soon a job whose actor stopped in the middle is delivered again; ms. */
const REDELIVER_MS = 1_000;

/**
 * Owns one job: recovers its JobContext from the journal, receives the payload, and from the acknowledgement on
 * brings it to the seal, one phase after the other. Every change is persisted before it is acted on.
 */
export function objectActor(options: ObjectOptions): Behaviour<ObjectMessage, Work> {
  return {
    kind: 'object',

    async start(ctx) {
      const { job, ports, parent } = options;
      const owner = await ports.directory.find(job, { signal: ctx.signal });
      if (owner) throw ownedElsewhere(formatJobId(job), owner.node);
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
        columns: new Set(),
        lostColumns: new Map(),
      };
    },

    async receive(work, message, ctx) {
      await handle(work, message, ctx);
      return work;
    },

    async stopped(work) {
      if (!work) return;
      work.client?.reject(interrupted());
      await work.lease?.postpone(REDELIVER_MS);
      await work.disown();
    },
  };
}

async function handle(work: Work, message: ObjectMessage, ctx: Context<ObjectMessage>): Promise<void> {
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
    case 'discard-segment':
      await work.log.record({ type: 'DiscardSegment', segmentIndex: message.segmentIndex });
      return message.reply.resolve();
    case 'uploaded':
      return endUpload(work, message.outcome);
    case 'uploader-ended':
      return loseUploader(work, message.attempt, message.end);
    case 'enqueued':
      return acknowledge(work, message.outcome);
    case 'lease-awaited':
      if (!work.lease && !work.client) idle(work);
      return;
    case 'lease-lost':
      // Another node may work on the job by now: nothing more is touched.
      if (work.lease?.signal.aborted) ctx.stopSelf();
      return;
    case 'looked':
      return afterLook(work, message.outcome);
    case 'allocated':
      return endAllocation(work, message.outcome);
    case 'secondary-completed':
      return completeSecondary(work, message.receipt);
    case 'replicator-ended':
      return endColumn(work, message.redundancyIndex, message.end);
    case 'signed':
      return endSigning(work, message.outcome);
    case 'seal-watched':
      return endSeal(work, message.outcome);
    case 'reject-signed':
      return endRejectSigning(work, message.outcome);
    case 'rejected':
      return endReject(work, message.outcome);
  }
}

function ownedElsewhere(job: string, node: string): Terminal {
  return new Terminal({
    code: 'upload-in-progress',
    message: `Object ${job} is being worked on by ${node}.`,
    advice: 'Wait for the running upload to end, or ask for its progress.',
    gatewayCode: 110003,
  });
}
