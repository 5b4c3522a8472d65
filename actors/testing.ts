import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ExecutionContext, TestFn } from 'ava';
import type { JobContext, JobObject } from '../protocols/job/context.ts';
import { replay } from '../protocols/job/evolve.ts';
import { createActorSystem } from '../runtime/actors/system.ts';
import type { ActorSystem } from '../runtime/actors/types.ts';
import { connectNats } from '../runtime/nats/connect.ts';
import { type NatsServer, startNatsServer } from '../runtime/nats/server.ts';
import { openNatsPieceStore } from '../runtime/pieces/nats-piece-store.ts';
import type { PieceStore } from '../runtime/pieces/piece-store.ts';
import { silentLogger } from '../runtime/telemetry/logger.ts';
import { SUPERVISION } from './supervision.ts';

/** What tests of single actors stand on: a real nats-server and real actor systems. */
export interface Stage {
  readonly connection: NatsConnection;
  /** An actor system that ends with the test. */
  system(t: ExecutionContext): ActorSystem;
  /** A PieceStore of its own for each call. */
  pieces(): Promise<PieceStore>;
}

/** One nats-server for a file of tests. */
export function withStage(test: TestFn): () => Stage {
  let server: NatsServer | undefined;
  let stage: Stage | undefined;
  test.before(async () => {
    server = await startNatsServer();
    const connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
    const system = (t: ExecutionContext) => {
      const started = createActorSystem({ name: 'test', supervision: SUPERVISION, log: silentLogger });
      t.teardown(() => started.stop());
      return started;
    };
    const pieces = () => openNatsPieceStore({ connection, bucket: `p-${randomUUID()}`, log: silentLogger });
    stage = { connection, system, pieces };
  });
  test.after.always(async () => {
    await stage?.connection.close();
    await server?.stop();
  });
  return () => {
    if (!stage) throw new Error('the stage stands only while tests run');
    return stage;
  };
}

/** A job of an object in EC 4+2 that has just been created. */
export function newJob(
  object: Pick<JobObject, 'payloadSize' | 'maxSegmentSize'> & Partial<JobObject>,
): JobContext {
  const context = replay([
    {
      type: 'JobCreated',
      at: 1,
      id: { objectId: '4711', version: 0 },
      deadlineAt: 86_400_000,
      object: {
        bucketName: 'bucket',
        objectName: 'object',
        owner: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A',
        contentType: 'application/octet-stream',
        redundancy: 'EC',
        checksums: [],
        dataChunks: 4,
        parityChunks: 2,
        familyId: 1,
        primarySpId: 1,
        createdAt: 1,
        isUpdate: false,
        ...object,
      },
    },
  ]);
  if (!context) throw new Error('a created job has a context');
  return context;
}
