import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { type ObjectStore, Objm, StorageType } from '@nats-io/obj';
import { Retryable, type SealionError, Terminal } from '#protocols/errors';
import { ReusedMemory } from '../async/reused-memory.ts';
import type { AskAgainOptions } from '../nats/ask-again.ts';
import { isJetStreamError, isMessageGone, isNoResponders, JetStreamCode, natsError } from '../nats/errors.ts';
import { patient } from '../nats/patient.ts';
import { setupError } from '../nats/streams.ts';
import type { Logger } from '../telemetry/logger.ts';
import { chunkSubject } from './object-layout.ts';

const REQUEST_LIMIT_MS = 10_000;
/** A leader that hangs is replaced after 4 to 9 s; nobody answers while one is elected. */
const REPLICATED: AskAgainOptions = {
  limitMs: 20_000,
  againMs: [2_500, 2_500, 2_500, 2_500, 5_000],
  isNoAnswer: (error) => isNoResponders(error) || isJetStreamError(error, JetStreamCode.DUPLICATE_IN_FLIGHT),
};
/** Half the age at which the caretaker's sweep treats chunks as orphans. */
const PUT_LIMIT_MS = 30 * 60_000;
/** Memory for chunks that is kept for the next, bytes: as much as some puts at a time have in flight. */
const CHUNK_MEMORY = 16 * 2 ** 20;

export interface BucketOptions {
  readonly connection: NatsConnection;
  /** Name of the object store, for example `pieces`. */
  readonly bucket: string;
  /** Number of replicas; 1 by default. */
  readonly replicas?: number;
  /** After how long without an answer the server counts as unavailable, ms; 10 s by default. */
  readonly requestLimitMs?: number;
  /** After how long a put is given up, since a sweep may treat its chunks as orphans, ms; 30 min by default. */
  readonly putLimitMs?: number;
  readonly log: Logger;
}

/** An open object store and the JetStream interfaces below it. */
export interface Bucket {
  readonly name: string;
  readonly stream: string;
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly objects: ObjectStore;
  /** ms */
  readonly requestLimitMs: number;
  /** How what may be repeated is; where there are no replicas, only after a lost connection. */
  readonly repeats: AskAgainOptions;
  readonly isReplicated: boolean;
  /** ms */
  readonly putLimitMs: number;
  /** For chunks on their way to the store. */
  readonly chunkMemory: ReusedMemory;
  readonly log: Logger;
}

/**
 * Opens a bucket, and creates it if it does not exist.
 * @throws Terminal `bucket-unfit` when it exists with settings that could lose pieces, `stream-unfit` when the
 * server cannot create it
 */
export async function openBucket(options: BucketOptions): Promise<Bucket> {
  const { connection, bucket: name, log } = options;
  const replicas = options.replicas ?? 1;
  const requestLimitMs = options.requestLimitMs ?? REQUEST_LIMIT_MS;
  try {
    const stream = await makeBucket(connection, name, replicas);
    const limit = { timeout: requestLimitMs, checkAPI: false };
    const client = jetstream(connection, limit);
    const manager = await jetstreamManager(connection, limit);
    const isReplicated = replicas > 1;
    const repeats = isReplicated ? REPLICATED : { limitMs: requestLimitMs, againMs: [] };
    const patiently = jetstream(patient(connection, repeats), { checkAPI: false });
    const objects = await new Objm(patiently).open(name, false);
    const putLimitMs = options.putLimitMs ?? PUT_LIMIT_MS;
    const chunkMemory = new ReusedMemory(CHUNK_MEMORY);
    return {
      name,
      stream,
      connection,
      client,
      manager,
      objects,
      requestLimitMs,
      repeats,
      isReplicated,
      putLimitMs,
      chunkMemory,
      log,
    };
  } catch (error) {
    throw unavailable(error, `opening the bucket ${name}`);
  }
}

/** Creates the bucket if it does not exist. @returns the name of its stream */
async function makeBucket(connection: NatsConnection, name: string, replicas: number): Promise<string> {
  const settings = { storage: StorageType.File, replicas };
  const made = new Objm(jetstream(patient(connection))).create(name, settings);
  const objects = await made.catch((error: unknown) => {
    throw setupError(error, `bucket ${name}`);
  });
  const { config } = (await objects.status()).streamInfo;
  checkFit(name, replicas, config);
  return config.name;
}

/** Removes the chunks of one put, except the last `keep`. @returns how many were removed */
export async function purgeChunks(bucket: Bucket, nuid: string, keep = 0): Promise<number> {
  const filter = chunkSubject(bucket.name, nuid);
  return (await bucket.manager.streams.purge(bucket.stream, { filter, keep })).purged;
}

/**
 * Deletes the message with one stream sequence. A message that is certainly gone counts as success; any doubt is
 * thrown.
 */
export async function deleteMessage({ manager, stream }: Bucket, seq: number): Promise<void> {
  await manager.streams.deleteMessage(stream, seq, false).catch((error: unknown) => {
    if (!isMessageGone(error)) throw error;
  });
}

/** A failure of the server, with the code of this port. */
export function unavailable(error: unknown, doing: string): SealionError {
  return natsError(error, doing, 'piece-store-unavailable');
}

/** A piece that exists but cannot be trusted. */
export function corrupt(key: string, what: string): Retryable {
  return new Retryable({
    code: 'piece-corrupt',
    message: `The stored piece ${key} ${what}.`,
    advice: 'Delete it and store it again from another copy.',
  });
}

interface StreamSettings {
  readonly storage: string;
  readonly num_replicas: number;
  readonly max_age: number;
  readonly allow_direct?: boolean;
}

function checkFit(name: string, replicas: number, settings: StreamSettings): void {
  const faults = [
    settings.storage !== StorageType.File && 'keeps its objects in memory',
    settings.max_age !== 0 && 'drops objects by age',
    settings.num_replicas < replicas && `has ${settings.num_replicas} replicas instead of ${replicas}`,
    settings.allow_direct !== true && 'does not allow direct reads',
  ].filter(Boolean);
  if (faults.length === 0) return;
  throw new Terminal({
    code: 'bucket-unfit',
    message: `The bucket ${name} ${faults.join(', ')}.`,
    advice: `Change the stream OBJ_${name} with the nats command line, or name another bucket.`,
  });
}
