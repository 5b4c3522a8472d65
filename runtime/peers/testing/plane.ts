import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/nats-core';
import type { TestFn } from 'ava';
import type { NatsServer } from '../../nats/server.ts';
import type { PeerTimes } from '../nats/context.ts';
import type { InboundOffer, InboundSession, ReplicationSession } from '../peers.ts';
import {
  approvedOffer,
  joinPlane,
  makeSample,
  type Node,
  type Sample,
  startNode,
  startServer,
  until,
} from './peers.ts';

const MIB = 1024 * 1024;
const never = new AbortController().signal;

/** A peers plane of its own for each test of a file. What joins it leaves when the test ends. */
export interface Plane {
  readonly url: string;
  start(spId: number, times?: Partial<PeerTimes>): Promise<Node>;
  /** A bare connection of an SP. */
  tap(spId: number): Promise<NatsConnection>;
  /** Counts what goes to an SP as pieces, by a second connection of it. */
  countPieces(spId: number): Promise<Arrived>;
  /** Closes these too, before what was opened earlier. */
  closeAfterwards(...opened: { close(): Promise<void> }[]): void;
}

export function usePlane(test: TestFn): Plane {
  let server: NatsServer | undefined;
  const opened: { close(): Promise<void> }[] = [];
  test.beforeEach(async () => {
    server = await startServer();
  });
  test.afterEach.always(async () => {
    for (const one of opened.splice(0).reverse()) await one.close();
    await server?.stop();
  });
  const plane: Plane = {
    get url() {
      if (!server) throw new Error('the plane exists only while tests run');
      return server.url;
    },
    async start(spId, times = {}) {
      const node = await startNode(plane.url, spId, { times });
      opened.push(node);
      return node;
    },
    async tap(spId) {
      const connection = await joinPlane(plane.url, spId);
      opened.push(connection);
      return connection;
    },
    async countPieces(spId) {
      const connection = await plane.tap(spId);
      const arrived: Arrived = { bytes: 0, largest: 0, subject: '' };
      connection.subscribe(`session.${spId}.*.*.piece`, {
        callback: (_, message) => {
          arrived.bytes += message.data.length;
          arrived.largest = Math.max(arrived.largest, message.data.length);
          arrived.subject = message.subject.replace(/\.piece$/, '');
        },
      });
      await connection.flush();
      return arrived;
    },
    closeAfterwards(...more) {
      opened.push(...more);
    },
  };
  return plane;
}

type Assert = { is(actual: number, expected: number): void };

/** One piece of 6 MiB: more than a stream may hold. */
export function bigSample(): Sample {
  return makeSample(24 * MIB, 24 * MIB);
}

export async function open(primary: Node, secondary: Node, sample: Sample) {
  const offer = await approvedOffer(primary.spId, sample, secondary.spId);
  const accepting = nextOffer(secondary).then((held) => held.accept(0));
  const session = await primary.client.open(offer, {});
  return { sample, session, inbound: await accepting };
}

export async function nextOffer(node: Node): Promise<InboundOffer> {
  for await (const held of node.host.offers({ limit: 100, signal: never })) return held;
  throw new Error('no offer');
}

export async function sendAll(session: ReplicationSession, { pieces }: Sample): Promise<void> {
  for (const [segmentIndex, bytes] of pieces.entries()) await session.send({ segmentIndex, bytes });
}

export async function drain(inbound: InboundSession): Promise<void> {
  for await (const piece of inbound.pieces()) for await (const _ of piece.bytes);
}

export interface Arrived {
  bytes: number;
  largest: number;
  /** Of the last session heard. */
  subject: string;
}

/** Waits until this many bytes have arrived, and checks that no more follow. */
export async function stopsAt(t: Assert, arrived: Arrived, bytes: number): Promise<void> {
  await until(() => arrived.bytes >= bytes);
  await sleep(150);
  t.is(arrived.bytes, bytes);
}
