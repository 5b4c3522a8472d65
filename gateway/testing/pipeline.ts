import type { ExecutionContext } from 'ava';
import type { Acknowledgement, ObjectsMessage, UploadRequest } from '#actors/messages';
import type { JobContext } from '#protocols/job/context';
import { formatJobId } from '#protocols/job/identity';
import { createActorSystem } from '#runtime/actors/system';
import type { Behaviour, Ref } from '#runtime/actors/types';
import { silentLogger } from '#runtime/telemetry/logger';
import { OWNER, SP_ID } from './chain.ts';

/** A stand-in for the pipeline behind the gateway: accepts payloads and records its requests. */
export interface TestPipeline {
  readonly objects: Ref<ObjectsMessage>;
  readonly requests: UploadRequest[];
  /** Received payload bytes, by job id; present as soon as an upload has begun. */
  readonly taken: Map<string, Buffer>;
  /** How uploads failed, by job id. */
  readonly failures: Map<string, unknown>;
  /** Uploads in progress. */
  readonly open: number;
  /** Answers of `progress`, by job id. */
  readonly contexts: Map<string, JobContext>;
  /** Runs before the payload is read; an error that it throws is the answer. */
  before: (request: UploadRequest) => void | Promise<void>;
}

export function testPipeline(t: ExecutionContext): TestPipeline {
  const end = { retryable: 'stop', terminal: 'stop', cancelled: 'stop' } as const;
  const restarts = { limit: 0, withinMs: 1, beyond: 'stop' } as const;
  const row = { ...end, restarts, backoff: { minMs: 0, maxMs: 0 } };
  const system = createActorSystem({ name: 'test', supervision: { objects: row }, log: silentLogger });
  t.teardown(() => system.stop());
  const pipeline = {
    requests: [] as UploadRequest[],
    taken: new Map<string, Buffer>(),
    failures: new Map<string, unknown>(),
    open: 0,
    contexts: new Map<string, JobContext>(),
    before: () => {},
  };
  const objects = system.spawn('objects', recorder(pipeline));
  return Object.assign(pipeline, { objects });
}

type Settled = { readonly type: 'settled' };
type RecordedPipeline = Omit<TestPipeline, 'objects' | 'open'> & { open: number };

function recorder(pipeline: RecordedPipeline): Behaviour<ObjectsMessage | Settled, undefined> {
  const take = async (request: UploadRequest): Promise<Acknowledgement> => {
    await pipeline.before(request);
    const id = formatJobId(request.job);
    pipeline.taken.set(id, Buffer.alloc(0));
    for await (const chunk of request.body) {
      pipeline.taken.set(id, Buffer.concat([pipeline.taken.get(id) ?? Buffer.alloc(0), chunk]));
    }
    return { job: request.job, integrityHash: '00', durability: 'crash-safe' };
  };
  return {
    kind: 'objects',
    start: () => undefined,
    receive: (state, message, ctx) => {
      if (message.type === 'upload') {
        const { request, reply } = message;
        pipeline.requests.push(request);
        pipeline.open += 1;
        ctx.pipe(
          () =>
            take(request).then(reply.resolve, (error: unknown) => {
              pipeline.failures.set(formatJobId(request.job), error);
              reply.reject(error);
            }),
          () => ({ type: 'settled' }),
        );
      } else if (message.type === 'settled') {
        pipeline.open -= 1;
      } else if (message.type === 'progress') {
        message.reply.resolve(pipeline.contexts.get(formatJobId(message.job)));
      }
      return state;
    },
  };
}
/** A job of the object of `TestChain`. */
export function jobContext(over: Partial<JobContext>): JobContext {
  return {
    id: { objectId: '4711', version: 0 },
    state: 'INIT_UNSPECIFIED',
    revision: 1,
    object: {
      bucketName: 'photos',
      objectName: 'a.jpg',
      owner: OWNER.address,
      contentType: 'image/jpeg',
      payloadSize: 10,
      redundancy: 'EC',
      checksums: [],
      maxSegmentSize: 4,
      dataChunks: 4,
      parityChunks: 2,
      familyId: 7,
      primarySpId: SP_ID,
      createdAt: 2000,
      isUpdate: false,
    },
    createdAt: 0,
    changedAt: 0,
    deadlineAt: 0,
    uploadAttempt: 0,
    excludedGvgIds: [],
    receipts: {},
    signedSeals: [],
    failedTries: 0,
    failedSeals: 0,
    ...over,
  };
}
