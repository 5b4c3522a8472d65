import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ExecutionContext } from 'ava';
import { segmentKey } from '#protocols/payload/keys';
import { Proxies } from '#runtime/http/proxies';
import { openNatsPieceStore } from '#runtime/pieces/nats-piece-store';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { silentLogger } from '#runtime/telemetry/logger';
import type { GatewayLimits } from '../limits.ts';
import { object } from './chain.ts';
import { type TestGateway, testGateway } from './gateway.ts';

export interface Stored extends TestGateway {
  readonly pieces: PieceStore;
  readonly payload: Buffer;
}

/** A gateway whose object is sealed, public, and stored in segments on a real nats-server. */
export async function storedObject(
  t: ExecutionContext,
  connection: NatsConnection,
  payload: Buffer,
  maxSegmentSize: number,
  limits: Partial<GatewayLimits> = {},
  proxies = new Proxies(),
): Promise<Stored> {
  const pieces = await openNatsPieceStore({ connection, bucket: randomUUID(), log: silentLogger });
  for (let i = 0; i * maxSegmentSize < payload.length; i++) {
    const segment = payload.subarray(i * maxSegmentSize, (i + 1) * maxSegmentSize);
    await pieces.put(segmentKey({ objectId: '4711', version: 0 }, i), segment);
  }
  const gateway = testGateway(t, { limits, pieces, proxies });
  gateway.chain.params = { ...gateway.chain.params, maxSegmentSize };
  gateway.chain.objects = [
    { object: object({ status: 'SEALED', payloadSize: payload.length, visibility: 'PUBLIC_READ' }) },
  ];
  return { ...gateway, pieces, payload };
}
