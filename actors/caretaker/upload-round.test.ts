import test from 'ava';
import type { JobEvent } from '#protocols/job/events';
import { silentLogger } from '#runtime/telemetry/logger';
import { newGround, newPayload } from '../testing/primary.ts';
import { withStage } from '../testing/stage.ts';
import { uploadRound } from './upload-round.ts';

const stage = withStage(test);

const HOUR = 3_600_000;
const failure = { code: 'x', message: 'x', attempt: 1, resume: 'UPLOAD_OBJECT_DOING' } as const;
const completed: JobEvent = { type: 'UploadCompleted', at: 2, segmentChecksums: [], integrityHash: '' };

function started(deadlineAt: number): JobEvent {
  return { type: 'UploadStarted', at: 1, attempt: 1, deadlineAt, inParts: true };
}

/** Jobs with their events, and whether their owner is to check them. */
const JOBS: readonly { name: string; events: readonly JobEvent[]; due: boolean }[] = [
  { name: 'created only', events: [], due: true },
  { name: 'waiting in time', events: [started(Date.now() + HOUR)], due: false },
  { name: 'waiting too long', events: [started(1)], due: true },
  { name: 'failed', events: [started(1), { type: 'UploadFailed', at: 2, failure }], due: true },
  { name: 'acknowledged', events: [started(1), completed], due: false },
  { name: 'gone', events: [started(1), { type: 'Discontinued', at: 3, reason: '' }], due: false },
];

test('only uploads that missed their deadline are handed to their owner', async (t) => {
  const { journal, queue } = await newGround(t, await stage().connection(t));
  const signal = new AbortController().signal;
  const expected = new Map<string, boolean>();
  for (const { events, due } of JOBS) {
    const { job, object } = await newPayload();
    const created: JobEvent = { type: 'JobCreated', at: 0, id: job, object, deadlineAt: 1 };
    for (const [i, event] of [created, ...events].entries()) await journal.append(job, i + 1, event);
    expected.set(job.objectId, due);
  }
  const round = uploadRound({ journal, queue, timing: { uploadsEveryMs: 1 } }, silentLogger);
  t.regex((await round.run(signal)) ?? '', /^queued 3 uploads/);
  for (const [i, [objectId, due]] of [...expected].entries()) {
    t.is(await queue.has({ objectId, version: 0 }), due, JOBS[i]?.name);
  }
  t.is(await round.run(signal), undefined);
});
