import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ExecutionContext, TestFn } from 'ava';
import type { JobContext, JobObject } from '#protocols/job/context';
import { replay } from '#protocols/job/evolve';
import { createActorSystem } from '#runtime/actors/system';
import type { ActorSystem } from '#runtime/actors/types';
import { connectNats } from '#runtime/nats/connect';
import { type NatsServer, startNatsServer } from '#runtime/nats/server';
import { openNatsPieceStore } from '#runtime/pieces/nats-piece-store';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { silentLogger } from '#runtime/telemetry/logger';
import { SUPERVISION } from '../supervision.ts';

/** What tests of actors stand on: a real nats-server and real actor systems. */
export interface Stage {
  readonly server: NatsServer;
  /** A connection to an account of its own, whose streams no other test sees; it ends with the test. */
  connection(t: ExecutionContext): Promise<NatsConnection>;
  /** An actor system that ends with the test. */
  system(t: ExecutionContext): ActorSystem;
  /** A PieceStore of its own for each call. */
  pieces(): Promise<PieceStore>;
}

const ACCOUNTS = 64;
const PASSWORD = 'test';

/** One nats-server for a file of tests. */
export function withStage(test: TestFn): () => Stage {
  let stage: Stage | undefined;
  let own: NatsConnection | undefined;
  test.before(async () => {
    const server = await startNatsServer({ config: accounts() });
    let used = 0;
    const connect = () => {
      used += 1;
      const user = `user-${used}`;
      return connectNats({ url: server.url, user, password: PASSWORD, name: user, log: silentLogger });
    };
    own = await connect();
    const shared = own;
    stage = {
      server,
      async connection(t) {
        const connection = await connect();
        t.teardown(() => connection.close());
        return connection;
      },
      system(t) {
        const system = createActorSystem({ name: 'test', supervision: SUPERVISION, log: silentLogger });
        t.teardown(() => system.stop());
        return system;
      },
      pieces: () =>
        openNatsPieceStore({ connection: shared, bucket: `p-${randomUUID()}`, log: silentLogger }),
    };
  });
  test.after.always(async () => {
    await own?.close();
    await stage?.server.stop();
  });
  return () => {
    if (!stage) throw new Error('the stage stands only while tests run');
    return stage;
  };
}

function accounts(): string {
  const account = (_: unknown, i: number) =>
    `A${i} { jetstream: enabled, users: [ { user: "user-${i + 1}", password: "${PASSWORD}" } ] }`;
  return `accounts {\n${Array.from({ length: ACCOUNTS }, account).join('\n')}\n}`;
}

/** An object in EC 4+2, of which a test says what matters to it. */
export function testObject(
  object: Pick<JobObject, 'payloadSize' | 'maxSegmentSize'> & Partial<JobObject>,
): JobObject {
  return {
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
  };
}

/** A job of an object in EC 4+2 that has just been created. */
export function newJob(object: Parameters<typeof testObject>[0]): JobContext {
  const id = { objectId: '4711', version: 0 };
  const context = replay([
    { type: 'JobCreated', at: 1, id, deadlineAt: 86_400_000, object: testObject(object) },
  ]);
  if (!context) throw new Error('a created job has a context');
  return context;
}
