import type { ExecutionContext } from 'ava';
import { Columns } from '#actors/ledger/column-record';
import { checksum } from '#protocols/integrity/checksums';
import type { Receipt } from '#protocols/job/context';
import { pieceKey } from '#protocols/payload/keys';
import { checkReceipt } from '#protocols/replication/receipts';
import { verifySealSignature } from '#protocols/sealing/seal';
import { HttpPeerClient } from '#runtime/peers/http/client';
import type { TaskStep } from '#runtime/peers/http/column-task';
import type { ColumnOffer } from '#runtime/peers/peers';
import { type ChainFixture, createBucket } from '../devnet/chain/testing.ts';
import { keysOf, offerOf, type WaitingObject } from './offers.ts';
import { headerOf, putTask, serveSecondary, type TaskAnswer } from './receive-gateway.ts';
import {
  type Secondary,
  type SecondaryOptions,
  startSecondary,
  startWorld,
  temporaryDirectory,
} from './secondary.ts';

/** This SP is SP 3, which has index 1 in the only group of SP 1. */
export const US = 3;
export const INDEX = 1;

export interface Scene {
  readonly fixture: ChainFixture;
  readonly us: Secondary;
  readonly endpoint: string;
  /** Restarts this SP with the same ledger. */
  restart(): Promise<Scene>;
}

/** A world with a bucket of SP 1, and us. */
export async function startScene(
  t: ExecutionContext,
  options: { readonly world?: Parameters<typeof startWorld>[1] } & SecondaryOptions = {},
): Promise<Scene> {
  const world = await startWorld(t, options.world);
  await createBucket(world.fixture, 'bucket-1', 1);
  const directory = options.directory ?? (await temporaryDirectory(t));
  const open = async (): Promise<Scene> => {
    const us = await startSecondary(t, world, US, { ...options, directory });
    const restart = async () => {
      await us.stop();
      return open();
    };
    return { fixture: world.fixture, us, endpoint: await serveSecondary(t, us), restart };
  };
  return open();
}

/** The client of SP 1, which finds this SP at its endpoint. */
export function clientOfPrimary(t: ExecutionContext, { fixture, endpoint }: Scene): HttpPeerClient {
  const { chain } = fixture;
  const client = new HttpPeerClient({
    chain,
    providers: async () =>
      (await chain.storageProviders()).map((sp) => (sp.id === US ? { ...sp, endpoint } : sp)),
    operatorKey: keysOf(fixture, 1).operator,
    allowPrivateEndpoints: true,
  });
  t.teardown(() => client.close());
  return client;
}

/** Our column of an object, as SP 1 offers it over HTTP. */
export async function offered(fixture: ChainFixture, object: WaitingObject, gvgId = 1): Promise<ColumnOffer> {
  return { ...(await offerOf(fixture, object, { redundancyIndex: INDEX, gvgId })), approval: '' };
}

export function pieceOf(object: WaitingObject, segmentIndex: number): Uint8Array {
  return object.columns[INDEX]?.[segmentIndex] ?? new Uint8Array();
}

export function stepOf(object: WaitingObject, segmentIndex: number): TaskStep {
  const bytes = pieceOf(object, segmentIndex);
  return { segmentIndex, pieceSize: bytes.length, pieceChecksum: checksum(bytes) };
}

/** The step in which the primary has sent all. */
export function end({ checksums }: WaitingObject): TaskStep {
  return { finished: true, checksums };
}

export async function put(endpoint: string, header: string, body?: Uint8Array): Promise<TaskAnswer> {
  const sent = putTask(endpoint, header);
  sent.end(body);
  return sent.answer;
}

/** Sends a piece of our column, as a Go primary does. */
export async function putPiece(
  scene: Scene,
  object: WaitingObject,
  segmentIndex: number,
): Promise<TaskAnswer> {
  const offer = await offered(scene.fixture, object);
  const header = await headerOf(scene.fixture, offer, stepOf(object, segmentIndex));
  return put(scene.endpoint, header, pieceOf(object, segmentIndex));
}

/** Asks for our signature. */
export async function finish(scene: Scene, object: WaitingObject, gvgId = 1): Promise<TaskAnswer> {
  const offer = await offered(scene.fixture, object, gvgId);
  return put(scene.endpoint, await headerOf(scene.fixture, offer, end(object)));
}

/** Status and code of an answer. */
export function refusal({ status, code }: TaskAnswer): [number, number] {
  return [status, code];
}

/** @throws when the chain would not accept the receipt */
export async function checkAgainstChain(
  { fixture }: Scene,
  object: WaitingObject,
  receipt: Receipt,
): Promise<void> {
  const { chain } = fixture;
  const { job, checksums } = object;
  const gvg = await chain.gvg(receipt.gvgId);
  const us = (await chain.storageProviders()).find(({ id }) => id === US);
  if (!gvg || !us) throw new Error('the chain does not know us');
  const subject = { chainId: chain.chainId, objectId: job.objectId, gvg, redundancyIndex: INDEX, checksums };
  await checkReceipt(receipt, subject, us, 'http', verifySealSignature);
}

export async function nothingStored(
  t: ExecutionContext,
  { us }: Scene,
  { job }: WaitingObject,
): Promise<void> {
  t.is(await new Columns(us.ports).get({ job, redundancyIndex: INDEX }), undefined);
  for (const segment of [0, 1, 2]) {
    t.is(await us.ports.pieces.stat(pieceKey(job, segment, INDEX)), undefined);
  }
}
