import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Acknowledgement, ObjectsMessage, UploadRequest } from '#actors/messages';
import { addressOf } from '#protocols/greenfield/address';
import { signRequest } from '#protocols/greenfield/request-signature';
import { publicKeyOf } from '#protocols/greenfield/signature';
import type {
  Account,
  ActionType,
  BucketInfo,
  GlobalVirtualGroupFamily,
  ObjectInfo,
  ObjectOnChain,
  StorageParams,
  StorageProvider,
} from '#protocols/greenfield/types';
import type { JobContext } from '#protocols/job/context';
import { formatJobId } from '#protocols/job/identity';
import { createActorSystem } from '#runtime/actors/system';
import type { Behaviour, Ref } from '#runtime/actors/types';
import type { Chain, LatestBlock } from '#runtime/chain/chain';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { Records } from '#runtime/records/records';
import { sqliteRecords } from '#runtime/records/sqlite';
import { type Logger, silentLogger } from '#runtime/telemetry/logger';
import type { GatewayDependencies } from '../dependencies.ts';
import { createGateway, type Gateway } from '../gateway.ts';
import { DEFAULT_LIMITS, type GatewayLimits } from '../limits.ts';
import { type TestAgent, testAgent } from './agent.ts';

export const SP_ID = 1;
export const HOST = 'photos.sp1.localhost';

/** An account that signs requests. */
export interface Signer {
  readonly address: string;
  readonly key: Uint8Array;
}

export function signer(fill: number): Signer {
  const key = new Uint8Array(32).fill(fill);
  return { key, address: addressOf(publicKeyOf(key)) };
}

export const OWNER = signer(0x11);
export const STRANGER = signer(0x22);
export const MAINTAINER = signer(0x33);

/** What tests change of a request before it is signed. */
export interface Unsigned {
  readonly method?: string;
  readonly host?: string;
  /** The host that is signed, where it differs from the one that is sent. */
  readonly signedHost?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly by?: Signer;
  /** ms from now. */
  readonly expiresInMs?: number;
}

/** The headers of a request signed as the SDKs do; a PUT of the object of `TestChain` by its owner by default. */
export function signedHeaders(request: Unsigned = {}): Record<string, string> {
  const { method = 'PUT', host = HOST, target = '/a.jpg', by = OWNER, expiresInMs = 60_000 } = request;
  const headers = {
    'X-Gnfd-Expiry-Timestamp': new Date(Date.now() + expiresInMs).toISOString(),
    ...request.headers,
  };
  const signable = { method, target, host: request.signedHost ?? host, headers: Object.entries(headers) };
  return { Host: host, ...headers, Authorization: signRequest(signable, by.key) };
}

/** The same as a request for `app.request`. */
export function signedRequest(
  request: Unsigned = {},
  body?: string | Uint8Array | ReadableStream<Uint8Array>,
): Request {
  const { Host, ...headers } = signedHeaders(request);
  return new Request(`http://${Host}${request.target ?? '/a.jpg'}`, {
    method: request.method ?? 'PUT',
    headers,
    // As text, the body would bring a Content-Type of its own, which is signed.
    ...(body !== undefined && { body: typeof body === 'string' ? Buffer.from(body) : body, duplex: 'half' }),
  });
}

/** A chain of plain data that tests change as they like: bucket `photos` with the object `a.jpg` of 10 bytes. */
export class TestChain implements Chain {
  readonly chainId = 'greenfield_9000-1741';
  providers: StorageProvider[] = [provider({})];
  buckets: BucketInfo[] = [bucket({})];
  objects: ObjectOnChain[] = [{ object: object({}) }];
  families: GlobalVirtualGroupFamily[] = [{ id: 7, primarySpId: SP_ID, gvgIds: [] }];
  params: StorageParams = {
    maxSegmentSize: 4,
    dataChunks: 4,
    parityChunks: 2,
    minChargeSize: 1,
    maxPayloadSize: 1e9,
  };
  /** Times for which parameters were asked. */
  readonly paramsAskedAt: (number | undefined)[] = [];
  /** Unix ms of the latest block; no request is later unless told. */
  blockTime = Date.now() + 3_600_000;
  /** How often the latest block was asked for. */
  blocksAsked = 0;
  /** `address action` of everyone who is allowed. */
  readonly allowed = new Set<string>();

  allow(account: Signer, action: ActionType): this {
    this.allowed.add(`${account.address} ${action}`);
    return this;
  }

  async storageParams(at?: number): Promise<StorageParams> {
    this.paramsAskedAt.push(at);
    return this.params;
  }

  async latestBlock(): Promise<LatestBlock> {
    this.blocksAsked += 1;
    return { height: 7, time: this.blockTime };
  }

  async bucket(name: string): Promise<BucketInfo | undefined> {
    return this.buckets.find(({ bucketName }) => bucketName === name);
  }

  async object(bucketName: string, objectName: string): Promise<ObjectOnChain | undefined> {
    return this.objects.find(
      ({ object }) => object.bucketName === bucketName && object.objectName === objectName,
    );
  }

  async storageProviders(): Promise<readonly StorageProvider[]> {
    return this.providers;
  }

  async family(id: number): Promise<GlobalVirtualGroupFamily | undefined> {
    return this.families.find((family) => family.id === id);
  }

  async isAllowed(account: string, _bucket: string, _object: string, action: ActionType): Promise<boolean> {
    return this.allowed.has(`${account} ${action}`);
  }

  /** Accounts that are on the chain. */
  accounts: readonly string[] = [OWNER, STRANGER, MAINTAINER].map(({ address }) => address);

  async account(address: string): Promise<Account | undefined> {
    return this.accounts.includes(address) ? { address, accountNumber: 1, sequence: 0 } : undefined;
  }

  objectById = unused;
  gvg = unused;
  gvgsOfFamily = unused;
  freeCapacity = unused;
  simulate = unused;
  messageGas = unused;
  broadcast = unused;
  transaction = unused;
  close(): void {}
}

async function unused(): Promise<never> {
  throw new Error('the gateway does not ask for this');
}

export function provider(over: Partial<StorageProvider>): StorageProvider {
  return {
    id: SP_ID,
    operatorAddress: signer(0x41).address,
    fundingAddress: signer(0x42).address,
    sealAddress: signer(0x43).address,
    approvalAddress: signer(0x44).address,
    gcAddress: signer(0x45).address,
    maintenanceAddress: MAINTAINER.address,
    status: 'IN_SERVICE',
    endpoint: 'http://sp1.localhost',
    moniker: 'sp1',
    blsKey: '',
    ...over,
  };
}

export function bucket(over: Partial<BucketInfo>): BucketInfo {
  return {
    owner: OWNER.address,
    bucketName: 'photos',
    visibility: 'PRIVATE',
    id: '1',
    createdAt: 1000,
    paymentAddress: OWNER.address,
    familyId: 7,
    chargedReadQuota: 0,
    status: 'CREATED',
    delegatedAgentDisabled: false,
    ...over,
  };
}

export function object(over: Partial<ObjectInfo>): ObjectInfo {
  return {
    owner: OWNER.address,
    creator: OWNER.address,
    bucketName: 'photos',
    objectName: 'a.jpg',
    id: '4711',
    localVirtualGroupId: 0,
    payloadSize: 10,
    visibility: 'INHERIT',
    contentType: 'image/jpeg',
    createdAt: 2000,
    status: 'CREATED',
    redundancy: 'EC',
    checksums: ['00', '11', '22', '33', '44', '55', '66'],
    isUpdating: false,
    updatedAt: 0,
    updatedBy: OWNER.address,
    version: 0,
    ...over,
  };
}

/** A stand-in for the pipeline behind the gateway: takes payloads and remembers what it was asked. */
export interface TestPipeline {
  readonly objects: Ref<ObjectsMessage>;
  readonly requests: UploadRequest[];
  /** Payload bytes that were taken, by job id; present as soon as an upload has begun. */
  readonly taken: Map<string, Buffer>;
  /** How uploads failed, by job id. */
  readonly failures: Map<string, unknown>;
  /** Uploads in work. */
  readonly open: number;
  /** What `progress` answers, by job id. */
  readonly contexts: Map<string, JobContext>;
  /** Runs before the payload is read; what it throws is the answer. */
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

/** A log whose lines can be looked at. */
export function testLog(): Logger & { readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (fields: object, message: string) => void lines.push({ ...fields, message });
  const log = { lines, debug: write, info: write, warn: write, error: write, child: () => log };
  return log;
}

/** Fails when it is asked for anything; for tests that read nothing. */
export const noPieces = new Proxy({} as PieceStore, {
  get: (_, name) => {
    throw new Error(`the piece store was asked to ${String(name)}`);
  },
});

/** A gateway with everything behind it that a test may look at or change. */
export interface TestGateway {
  readonly app: Gateway;
  readonly chain: TestChain;
  readonly pipeline: TestPipeline;
  readonly agent: TestAgent;
  /** Holds the off-chain keys. */
  readonly records: Records;
  /** Not there until the records are first used. */
  readonly recordsFile: string;
  readonly log: ReturnType<typeof testLog>;
}

export function testGateway(
  t: ExecutionContext,
  over: { readonly limits?: Partial<GatewayLimits> } & Partial<
    Pick<GatewayDependencies, 'pieces' | 'corsOrigins' | 'receivers' | 'domains' | 'anyHost'>
  > = {},
): TestGateway {
  const chain = new TestChain();
  const pipeline = testPipeline(t);
  const agent = testAgent(t, chain);
  const log = testLog();
  const recordsFile = join(temporaryFolder(t), 'records.db');
  const records = sqliteRecords(recordsFile);
  t.teardown(() => records.close());
  const app = createGateway({
    chain,
    spId: SP_ID,
    pieces: over.pieces ?? noPieces,
    offChainKeys: records.offChainKeys,
    objects: pipeline.objects,
    agent: agent.agent,
    ...(over.receivers && { receivers: over.receivers }),
    limits: { ...DEFAULT_LIMITS, ...over.limits },
    domains: over.domains ?? ['sp1.localhost'],
    anyHost: over.anyHost ?? false,
    corsOrigins: over.corsOrigins ?? ['*'],
    log,
  });
  return { app, chain, pipeline, agent, records, recordsFile, log };
}

/** A folder that whoever first needs it makes. */
function temporaryFolder(t: ExecutionContext): string {
  const folder = join(tmpdir(), `sealion-gateway-${randomUUID()}`);
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Code and message of an error response. */
export async function errorOf(
  response: Response,
): Promise<{ status: number; code: number; message: string }> {
  const xml = await response.text();
  const match = /^<Error><Code>([0-9]+)<\/Code><Message>(.*)<\/Message><\/Error>$/s.exec(xml);
  if (!match) throw new Error(`no error XML: ${xml}`);
  return { status: response.status, code: Number(match[1]), message: match[2] ?? '' };
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
