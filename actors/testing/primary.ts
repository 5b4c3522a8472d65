import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ExecutionContext } from 'ava';
import { type SealionError, Terminal } from '#protocols/errors';
import { expectChecksums } from '#protocols/integrity/expect-checksums';
import type { JobContext, JobObject } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import type { JobId } from '#protocols/job/identity';
import type { JobStateName } from '#protocols/job/states';
import { segmentKey } from '#protocols/payload/keys';
import { planPayload } from '#protocols/payload/plan';
import { createActorSystem } from '#runtime/actors/system';
import type { ActorSystem, Ref, TreeNode } from '#runtime/actors/types';
import { ByteBudget, ByteBudgets } from '#runtime/async/byte-budget';
import { ReusedMemory } from '#runtime/async/reused-memory';
import { natsCalls } from '#runtime/home/nats-calls';
import { natsDirectory } from '#runtime/home/nats-directory';
import { natsJobFeed } from '#runtime/home/nats-job-feed';
import type { JobQueue } from '#runtime/jobs/job-queue';
import { openJobQueue } from '#runtime/jobs/nats-job-queue';
import { openRoles } from '#runtime/jobs/nats-roles';
import { openJetStreamJournal } from '#runtime/journal/jetstream/jetstream-journal';
import type { Journal } from '#runtime/journal/journal';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { Background } from '#runtime/load/background';
import { openNatsPieceStore } from '#runtime/pieces/nats-piece-store';
import type { PieceStore } from '#runtime/pieces/piece-store';
import { silentLogger } from '#runtime/telemetry/logger';
import { signer } from '../chain/signer.ts';
import { signerLine } from '../chain/signer-line.ts';
import { readJob } from '../job-log.ts';
import type { Acknowledgement, UploadPart, UploadRequest } from '../messages.ts';
import { type JobsMessage, jobs } from '../primary/jobs.ts';
import { type ObjectsInbox, objects } from '../primary/objects.ts';
import { PRIMARY_TIMING, type PrimaryPorts } from '../primary/ports.ts';
import { SealChecks } from '../primary/replicate/seal-checks.ts';
import { SUPERVISION } from '../supervision.ts';
import { TestChain } from './chain.ts';
import { TestPeers } from './peers.ts';
import { group, keysOf } from './providers.ts';
import { testObject } from './stage.ts';

const MIB = 2 ** 20;
/** Longer than anything takes, even on a slow machine; ms. */
const TIME_LIMIT_MS = 180_000;
/** So long that no lease ends because the machine is slow: then a job would be worked on again. */
const ACK_WAIT_MS = 30_000;

/** What a primary keeps over its restarts: an account on NATS and a journal. Chain and peers are a test's own. */
export interface Ground {
  readonly connection: NatsConnection;
  readonly journal: Journal;
  readonly pieces: PieceStore;
  readonly queue: JobQueue;
}

/** An object with its payload. */
export interface Payload {
  readonly job: JobId;
  readonly object: JobObject;
  readonly bytes: Uint8Array;
}

let lastObjectId = 0;

/** A payload of random bytes, and the object that is registered for it. */
export async function newPayload(
  size = 5_000,
  over: Partial<JobObject> & { readonly bytes?: Uint8Array } = {},
): Promise<Payload> {
  lastObjectId += 1;
  const { bytes = randomBytes(size), ...rest } = over;
  const objectName = `object-${lastObjectId}`;
  const object = testObject({ payloadSize: bytes.length, maxSegmentSize: 1_024, objectName, ...rest });
  const checksums = over.checksums ?? (await expectChecksums([bytes], object));
  return { job: { objectId: String(lastObjectId), version: 0 }, object: { ...object, checksums }, bytes };
}

export async function newGround(t: ExecutionContext, connection: NatsConnection): Promise<Ground> {
  const journal = await newJournal(t, connection);
  const pieces = await openNatsPieceStore({ connection, bucket: randomUUID(), log: silentLogger });
  const queue = await openJobQueue({ connection, ackWaitMs: ACK_WAIT_MS, log: silentLogger });
  return { connection, journal, pieces, queue };
}

/** Every test of a primary can be run on either journal. */
async function newJournal(t: ExecutionContext, connection: NatsConnection): Promise<Journal> {
  const directory = await mkdtemp(join(tmpdir(), 'sealion-primary-'));
  const isShared = process.env.SEALION_TEST_JOURNAL === 'jetstream';
  const journal = await (isShared ? openJetStreamJournal({ connection }) : openLevelJournal({ directory }));
  t.teardown(async () => {
    await journal.close();
    await rm(directory, { recursive: true, force: true });
  });
  return journal;
}

export interface PrimaryOptions {
  readonly chain?: TestChain;
  readonly ports?: Partial<PrimaryPorts>;
  readonly timing?: Partial<PrimaryPorts['timing']>;
  /** False: jobs stay in the queue. */
  readonly pulls?: boolean;
  /** In place of the ground's. */
  readonly queue?: JobQueue;
}

/** Who sends a payload, and how long it has been silent, ms. */
export interface Sender {
  readonly account?: string;
  readonly silentMs?: () => number;
}

function sentBy(
  { account = '0xA', silentMs = () => 0 }: Sender,
  body: AsyncIterable<Uint8Array>,
): Pick<UploadRequest, 'account' | 'body'> {
  return { account, body: { silentMs, [Symbol.asyncIterator]: () => body[Symbol.asyncIterator]() } };
}

/** The primary's side of a node, with everything real but the chain and the other SPs. */
export class Primary {
  readonly ground: Ground;
  readonly chain: TestChain;
  readonly peers: TestPeers;
  readonly system: ActorSystem;
  readonly objects: Ref<ObjectsInbox>;
  readonly #background: Background;
  readonly #pulls: Ref<JobsMessage>[] = [];

  private constructor(
    ground: Ground,
    chain: TestChain,
    peers: TestPeers,
    system: ActorSystem,
    ports: PrimaryPorts,
    background: Background,
  ) {
    this.#background = background;
    this.ground = ground;
    this.chain = chain;
    this.peers = peers;
    this.system = system;
    this.objects = system.spawn('objects', objects(ports));
  }

  static async start(t: ExecutionContext, ground: Ground, options: PrimaryOptions = {}): Promise<Primary> {
    const { connection, journal, pieces } = ground;
    const {
      chain = new TestChain([group(1, [2, 3, 4, 5, 6, 7])]),
      pulls = true,
      queue = ground.queue,
    } = options;
    const peers = new TestPeers(chain);
    const system = createActorSystem({ name: 'sp-1@test', supervision: SUPERVISION, log: silentLogger });
    t.teardown(() => system.stop());
    const roles = await openRoles({ connection, log: silentLogger });
    const { seal: key } = keysOf(1);
    const line = signerLine(natsCalls(connection, silentLogger), key.address);
    const background = new Background(16);
    t.teardown(() => background.close());
    const primary = new Primary(
      ground,
      chain,
      peers,
      system,
      {
        spId: 1,
        node: 'test',
        chainId: chain.chainId,
        chain,
        journal,
        pieces,
        queue,
        directory: natsDirectory(connection, silentLogger),
        feed: natsJobFeed(connection, silentLogger),
        peers,
        signer: system.spawn('signer', signer({ key, chain, roles, line })),
        providers: () => chain.storageProviders(),
        memory: new ByteBudget(16 * MIB),
        shardMemory: new ReusedMemory(16 * MIB),
        outgoing: new ByteBudgets(MIB),
        sealChecks: new SealChecks(),
        background,
        durability: 'crash-safe',
        timing: {
          ...PRIMARY_TIMING,
          inclusionTimeoutMs: 5_000,
          chainPollMs: 10,
          rebroadcastMs: 100,
          backoff: { minMs: 20, maxMs: 100 },
          paymentBackoff: { minMs: 20, maxMs: 100 },
          rejectBackoff: { minMs: 20, maxMs: 100 },
          ...options.timing,
        },
        ...options.ports,
      },
      background,
    );
    if (pulls) primary.pullJobs(16, queue);
    return primary;
  }

  /** Begins to work on what is in the queue. */
  pullJobs(limit: number, queue = this.ground.queue): void {
    const options = { queue, objects: this.objects, limit, background: this.#background };
    this.#pulls.push(this.system.spawn('jobs', jobs(options)));
  }

  /** Does what a node does first when it is asked to stop. */
  drain(): void {
    for (const actor of [...this.#pulls, this.objects]) actor.tell({ type: 'drain' });
  }

  /** Registers an object on chain that waits for its payload. */
  async newObject(...about: Parameters<typeof newPayload>): Promise<Payload> {
    const payload = await newPayload(...about);
    this.chain.create(payload.job, payload.object);
    return payload;
  }

  /** Announces new content of a sealed object. */
  async newUpdate({ job, object }: Payload, size: number): Promise<Payload> {
    const { objectName } = object;
    const payload = await newPayload(size, { objectName, isUpdate: true, createdAt: object.createdAt + 1 });
    const update = { ...payload, job: { ...job, version: job.version + 1 } };
    this.chain.announce(update.job, update.object);
    return update;
  }

  /** Puts the payload, as the gateway does. */
  upload(
    { job, object, bytes }: Payload,
    body: AsyncIterable<Uint8Array> = chunks(bytes),
    from: Sender = {},
  ): Promise<Acknowledgement> {
    const { signal } = new AbortController();
    return this.objects.ask<Acknowledgement>((reply) => ({
      type: 'upload',
      request: { job, object, signal, ...sentBy(from, body) },
      reply,
    }));
  }

  /** Posts some segments of the payload as one part, as the gateway does; `body` in their place. */
  uploadPart(
    { job, object, bytes }: Payload,
    part: UploadPart,
    body?: AsyncIterable<Uint8Array>,
    sender: Sender = {},
  ): Promise<Acknowledgement> {
    const { signal } = new AbortController();
    const from = part.firstSegment * object.maxSegmentSize;
    const to = from + part.segmentCount * object.maxSegmentSize;
    const sent = sentBy(sender, body ?? chunks(bytes.subarray(from, to)));
    const request = { job, object, signal, part, ...sent };
    return this.objects.ask<Acknowledgement>((reply) => ({ type: 'upload', request, reply }));
  }

  /** What the journal says. */
  async context({ job }: Pick<Payload, 'job'>): Promise<JobContext | undefined> {
    return readJob(job, this.ground.journal);
  }

  async events({ job }: Pick<Payload, 'job'>): Promise<readonly JobEvent[]> {
    return (await this.ground.journal.read(job)).map(({ event }) => event);
  }

  /** Waits until the journal has the job in a state. */
  reaches(payload: Pick<Payload, 'job'>, state: JobStateName): Promise<JobContext> {
    return eventually(`the job is in ${state}`, async () => {
      const context = await this.context(payload);
      return context?.state === state ? context : undefined;
    });
  }

  /** The object's line in the tree. */
  line({ job }: Pick<Payload, 'job'>): TreeNode | undefined {
    const [top] = this.system.tree().children.filter(({ name }) => name === 'objects');
    return top?.children.find(({ name }) => name === `object/${job.objectId}.${job.version}`);
  }

  async storedSegments({ job, object }: Payload): Promise<readonly (Uint8Array | undefined)[]> {
    const indexes = Array.from({ length: planPayload(object).segmentCount }, (_, index) => index);
    const { pieces } = this.ground;
    return Promise.all(
      indexes.map(async (index) => {
        try {
          return await pieces.get(segmentKey(job, index));
        } catch (error) {
          if (error instanceof Terminal && error.code === 'piece-missing') return undefined;
          throw error;
        }
      }),
    );
  }
}

/** The segments of a payload. */
export function segmentsOf({ object, bytes }: Payload): readonly Uint8Array[] {
  const plan = planPayload(object);
  return Array.from({ length: plan.segmentCount }, (_, index) => {
    const { offset, length } = plan.segment(index);
    return bytes.subarray(offset, offset + length);
  });
}

/** A body as it comes off a socket. */
export async function* chunks(bytes: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

/** A real part of which some methods behave otherwise. */
export function except<T extends object>(part: T, changes: Partial<T>): T {
  return new Proxy(part, {
    get(target, name) {
      if (Object.hasOwn(changes, name)) return Reflect.get(changes, name);
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** What an upload fails with. @throws when it does not */
export async function failsWith(upload: Promise<unknown>): Promise<SealionError> {
  return upload.then(
    () => Promise.reject(new Error('the upload has succeeded')),
    (error: SealionError) => error,
  );
}

/** Waits until something is there. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const giveUpAt = performance.now() + TIME_LIMIT_MS;
  while (performance.now() < giveUpAt) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await sleep(5);
  }
  throw new Error(`waited in vain until ${what}`);
}
