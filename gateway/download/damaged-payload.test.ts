import { randomBytes, randomUUID } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import test from 'ava';
import { segmentKey } from '#protocols/payload/keys';
import { planPayload } from '#protocols/payload/plan';
import { connectNats } from '#runtime/nats/connect';
import { patient } from '#runtime/nats/patient';
import { type NatsServer, startNatsServer } from '#runtime/nats/server';
import { openNatsPieceStore } from '#runtime/pieces/nats-piece-store';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { silentLogger } from '#runtime/telemetry/logger';
import { readPayload } from './payload-reader.ts';

const MIB = 2 ** 20;
const SEGMENT = 4 * MIB;
const JOB = { objectId: '4711', version: 0 };
const EC = { redundancy: 'EC', dataChunks: 4, parityChunks: 2 } as const;
const PAYLOAD = randomBytes(2 * SEGMENT + MIB / 2 + 7);
const PLAN = planPayload({ payloadSize: PAYLOAD.length, maxSegmentSize: SEGMENT, ...EC });
const never = new AbortController().signal;

let server: NatsServer;
let connection: NatsConnection;

test.before(async () => {
  server = await startNatsServer();
  connection = await connectNats({ url: server.url, name: 'test', log: silentLogger });
});

test.after.always(async () => {
  await connection?.close();
  await server?.stop();
});

function segmentOf(index: number): Buffer {
  return PAYLOAD.subarray(index * SEGMENT, (index + 1) * SEGMENT);
}

/** A store that has the payload except for one chunk of its second segment. */
async function damagedStore(chunk: number): Promise<PieceStore> {
  const bucket = randomUUID();
  const pieces = await openNatsPieceStore({ connection, bucket, log: silentLogger });
  const stream = `OBJ_${bucket}`;
  const manager = await jetstreamManager(patient(connection));
  for (const index of [0, 1, 2]) {
    const { last_seq: before } = (await manager.streams.info(stream)).state;
    await pieces.put(segmentKey(JOB, index), segmentOf(index));
    // a chunk is a message of at most 1 MiB
    if (index === 1) await manager.streams.deleteMessage(stream, before + 1 + chunk);
  }
  return pieces;
}

for (const chunk of [0, 1, 2, 3]) {
  test(`a download continues from chunk ${chunk} of a segment that is gone from the store`, async (t) => {
    const pieces = await damagedStore(chunk);
    const recovered: number[] = [];
    const recover = async (index: number) => {
      recovered.push(index);
      return segmentOf(index);
    };
    const source = { pieces, job: JOB, plan: PLAN, recover };
    for (const [offset, length] of [
      [0, PAYLOAD.length],
      [SEGMENT + chunk * MIB + 5, SEGMENT],
    ] as const) {
      const end = Math.min(PAYLOAD.length, offset + length);
      const chunks: Uint8Array[] = [];
      for await (const bytes of readPayload(source, { offset, length: end - offset }, never))
        chunks.push(bytes);
      t.true(Buffer.concat(chunks).equals(PAYLOAD.subarray(offset, end)), `from byte ${offset}`);
    }
    t.deepEqual(recovered, [1, 1]);
  });
}
