import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestFn } from 'ava';
import { parse, stringify } from 'yaml';
import { Terminal } from '#protocols/errors';
import { fromHex } from '#protocols/greenfield/hex';
import type { ObjectOnChain, Redundancy, Visibility } from '#protocols/greenfield/types';
import type { JobContext } from '#protocols/job/context';
import type { JobEvent } from '#protocols/job/events';
import { formatJobId, type JobId } from '#protocols/job/identity';
import { JobState, type JobStateName } from '#protocols/job/states';
import type { TreeNode } from '#runtime/actors/types';
import type { Chain, ChainLists } from '#runtime/chain/chain';
import { connectChain } from '#runtime/chain/connect';
import { accountKey } from '#runtime/keys/keyring';
import { createLogger } from '#runtime/telemetry/logger';
import { AdminApi } from '../client/admin-api.ts';
import { ChainAccount } from '../client/chain-account.ts';
import { type ObjectAddress, SpClient } from '../client/sp-client.ts';
import { compiledProgram } from '../compiled.ts';
import { type Devnet, type DevnetOptions, startDevnet } from '../devnet/devnet.ts';
import { DevnetProcess } from '../devnet/process.ts';
import { encode, type WaitingObject } from './offers.ts';
import { StoredPieces } from './stored-pieces.ts';
import { until } from './until.ts';

export type NetworkOptions = Omit<DevnetOptions, 'directory' | 'log' | 'signal'>;

/** A job according to a node's journal. */
export interface JobView {
  readonly context: JobContext;
  readonly events: readonly JobEvent[];
}

/** Small segments, short block times and short leases: everything happens as in production, only sooner. */
const QUICK: NetworkOptions = {
  segmentSize: 64 * 1024,
  blockTimeMs: 100,
  node: {
    timing: { ackWaitMs: 2_000, offerTimeoutMs: 5_000, stallTimeoutMs: 10_000 },
    limits: { diskReserve: '256 MiB' },
  },
};

/** Every test of a network can be run on either journal. */
export const JOURNAL = { adapter: process.env.SEALION_TEST_JOURNAL ?? 'level' };

/**
 * Gives the tests of a file a devnet of their own, started before the first and stopped after the last.
 * @returns a function that returns the devnet
 */
export function useNetwork(test: TestFn, options: NetworkOptions = {}): () => Network {
  let network: Network | undefined;
  test.before(async () => {
    const { node = QUICK.node, ...others } = options;
    network = await Network.start({ ...QUICK, ...others, node: { journal: JOURNAL, ...node } });
  });
  test.after.always(() => network?.stop());
  return () => {
    if (network) return network;
    throw new Error('the devnet has not started');
  };
}

/** A devnet with one client account, as tests use it: from outside and as a client. */
export class Network {
  readonly devnet: Devnet;
  readonly chain: Chain & ChainLists;
  readonly account: ChainAccount;
  readonly #directory: string;
  /** Of the client's account. */
  readonly privateKey: Uint8Array;

  private constructor(devnet: Devnet, chain: Chain & ChainLists, directory: string) {
    this.devnet = devnet;
    this.chain = chain;
    this.#directory = directory;
    this.privateKey = fromHex((devnet.file.accounts[0]?.privateKey ?? '').slice(2));
    this.account = new ChainAccount(chain, accountKey(this.privateKey));
  }

  static async start(options: NetworkOptions): Promise<Network> {
    const directory = await mkdtemp(join(tmpdir(), 'sealion-e2e-'));
    try {
      const devnet = await startDevnet({ ...options, directory, log: createLogger({ level: 'error' }) });
      return new Network(devnet, await connectChain(devnet.file.chain), directory);
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.chain.close();
    await this.devnet.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** A client of an SP's gateway. */
  client(spId: number): SpClient {
    return new SpClient(this.#file(spId).endpoint, this.privateKey);
  }

  /** A client of each gateway of an SP, past its load balancer. */
  gateways(spId: number): readonly SpClient[] {
    const urls = (this.#file(spId).nodes ?? []).flatMap(({ gateway }) => gateway ?? []);
    return urls.map((url) => new SpClient(url, this.privateKey));
  }

  /** Creates a bucket, private by default, with an SP as its primary. @returns its name */
  async createBucket(spId: number, visibility: Visibility = 'PRIVATE'): Promise<string> {
    const { operatorAddress, gvgFamilyId } = this.#file(spId);
    const bucketName = `bucket-${randomBytes(6).toString('hex')}`;
    await this.account.createBucket({
      bucketName,
      primarySpAddress: operatorAddress,
      familyId: gvgFamilyId,
      visibility,
    });
    return bucketName;
  }

  /** Creates an object of random bytes, which then waits for its payload. */
  async createObject(
    bucketName: string,
    payload: { readonly size: number; readonly redundancy?: Redundancy },
  ): Promise<WaitingObject> {
    const encoded = await encode(this, randomBytes(payload.size), payload.redundancy);
    const objectName = `object-${randomBytes(6).toString('hex')}`;
    const { redundancy, checksums } = encoded;
    const objectId = await this.account.createObject({
      bucketName,
      objectName,
      payloadSize: payload.size,
      checksums,
      redundancy,
    });
    return { ...encoded, job: { objectId, version: 0 }, bucketName, objectName };
  }

  /** Announces other random content for a sealed object, which then waits for it. */
  async updateObject(object: WaitingObject, payload: { readonly size: number }): Promise<WaitingObject> {
    const { job, bucketName, objectName, redundancy } = object;
    const encoded = await encode(this, randomBytes(payload.size), redundancy);
    const { checksums } = encoded;
    await this.account.updateObject({ bucketName, objectName, payloadSize: payload.size, checksums });
    return { ...object, ...encoded, job: { ...job, version: job.version + 1 } };
  }

  /** Uploads the payload of an object, or `body` instead, for a misbehaving client. */
  async put(spId: number, object: WaitingObject, body?: AsyncIterable<Uint8Array>): Promise<void> {
    await this.client(spId).put(object, {
      body: body ?? Readable.from([object.payload]),
      size: object.payload.length,
      contentType: 'application/octet-stream',
    });
  }

  async get(spId: number, object: ObjectAddress): Promise<Buffer> {
    return bytesOf(this.client(spId), object);
  }

  /** Waits until the object is sealed on chain. */
  sealed({ job }: WaitingObject): Promise<ObjectOnChain> {
    return until(`object ${job.objectId} is sealed`, async () => {
      const found = await this.chain.objectById(job.objectId);
      const { status, isUpdating, version } = found?.object ?? {};
      return status === 'SEALED' && !isUpdating && version === job.version && found;
    });
  }

  /** Waits until a job has reached a state, or a later one on the forward path. */
  reached(spId: number, { job }: WaitingObject, state: JobStateName): Promise<JobContext> {
    return until(`${job.objectId} is at ${state}`, async () => {
      const context = (await this.job(spId, job))?.context;
      return context && JobState[context.state] >= JobState[state] ? context : undefined;
    });
  }

  /** A job according to the journal of an SP's node; undefined if unknown there. */
  async job(spId: number, job: JobId): Promise<JobView | undefined> {
    const { admin, nodes = [] } = this.#file(spId);
    const view = async (url: string) => (await this.admin(url)).get<JobView>(`/api/jobs/${formatJobId(job)}`);
    const urls = nodes.length > 0 ? nodes.map((node) => node.admin) : [admin];
    let failure: unknown;
    for (const url of urls) {
      try {
        return await view(url);
      } catch (error) {
        if (error instanceof Terminal && error.code === 'not-found') return undefined;
        // A node that was stopped; another may know.
        failure = error;
      }
    }
    throw failure;
  }

  /**
   * Starts another node of an SP, with a data folder of its own: possible, but a mistake while the journal is embedded.
   * @param limits that differ from those of the first node
   * @returns its process, the activity of its signer, and a client of its gateway
   */
  async addNode(
    spId: number,
    limits: object = {},
  ): Promise<{
    readonly node: DevnetProcess;
    readonly signer: () => Promise<string>;
    readonly client: SpClient;
  }> {
    const folder = join(this.#directory, 'state', `sp${spId}`);
    const config = parse(await readFile(join(folder, 'config.yaml'), 'utf8')) as {
      readonly admin: object;
      readonly limits: object;
    };
    const file = join(folder, 'second.yaml');
    const configure = async (adminPort = 0, gatewayPort = 0) => {
      const listen = (port: number) => ({ host: '127.0.0.1', port });
      const own = {
        node: 'b',
        dataDir: 'second',
        gateway: { listen: listen(gatewayPort), domains: ['second.localhost'] },
        admin: { ...config.admin, listen: listen(adminPort) },
        limits: { ...config.limits, ...limits },
      };
      await writeFile(file, stringify({ ...config, ...own }), { mode: 0o600 });
    };
    await configure();
    const node = new DevnetProcess({
      name: 'second',
      program: compiledProgram('node/main'),
      args: ['--config', file],
      logFile: join(folder, 'second.log'),
      onCrash: () => undefined,
    });
    const { admin, gateway } = await node.start();
    // Started again, it has the same addresses.
    await configure(admin, gateway);
    const client = new SpClient(`http://second.localhost:${gateway}`, this.privateKey);
    return { node, signer: () => this.#signerAt(`http://127.0.0.1:${admin}`), client };
  }

  /** What the node of an SP shows to Prometheus. */
  async metrics(spId: number): Promise<string> {
    return (await fetch(`${this.#file(spId).admin}/metrics`)).text();
  }

  /** The API of an admin server, with the token of those who act. */
  admin(url: string): Promise<AdminApi> {
    return AdminApi.of(url, this.devnet.file.adminTokens, 'act');
  }

  /** What an SP's node has logged. */
  log(spId: number): Promise<string> {
    return readFile(join(this.#directory, 'state', 'log', `sp${spId}.log`), 'utf8');
  }

  /** The activity of the signer of an SP's node. */
  signer(spId: number): Promise<string> {
    return this.#signerAt(this.#file(spId).admin);
  }

  /** Access to an SP's PieceStore behind its back. */
  pieces(spId: number): StoredPieces {
    return new StoredPieces(this.#file(spId).nats);
  }

  async #signerAt(url: string): Promise<string> {
    const { children } = await (await this.admin(url)).get<TreeNode>('/api/nodes/self/tree');
    return children.find(({ name }) => name === 'signer/seal')?.activity?.doing ?? '';
  }

  #file(spId: number): Devnet['file']['sps'][number] {
    const found = this.devnet.file.sps.find(({ id }) => id === spId);
    if (found) return found;
    throw new RangeError(`the devnet has no SP ${spId}`);
  }
}

/** The bytes of an object, as a provider or one of its gateways serves them. */
export async function bytesOf(client: SpClient, object: ObjectAddress): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await client.get(object)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
