import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '#runtime/telemetry/logger';
import { type NetworkSp, readNetwork, spOf } from '../cli/network.ts';
import { Session } from '../cli/session.ts';
import { AdminApi } from '../client/admin-api.ts';
import type { SpClient } from '../client/sp-client.ts';
import { type Devnet, type DevnetOptions, startDevnet } from '../devnet/devnet.ts';
import { devnetProcesses, type NetworkProcess } from './processes.ts';
import { RawStore } from './raw-store.ts';

/** Settings of a devnet that the bench starts. */
export type NetworkSettings = Omit<DevnetOptions, 'directory' | 'log' | 'signal'>;

/** A network under measurement: a devnet that the bench starts, or the network that a devnet.json describes. */
export class BenchNetwork {
  readonly session: Session;
  /** The SP to which the bench uploads. */
  readonly primary: NetworkSp;
  readonly client: SpClient;
  /** The API of the admin server of the primary's first node. */
  readonly admin: AdminApi;
  /** A bucket at the primary. */
  readonly bucketName: string;
  /** A plain NATS object store on the primary's nats-server, for floors. */
  readonly raw: RawStore;
  /** Processes of the devnet, and this one as `client`; empty for a network on other machines. */
  readonly processes: readonly NetworkProcess[];
  /** The bench's own devnet, where it is one. */
  readonly devnet: Devnet | undefined;
  readonly #close: () => Promise<void>;

  private constructor(parts: Omit<BenchNetwork, 'close' | 'processNamed'>, close: () => Promise<void>) {
    this.session = parts.session;
    this.primary = parts.primary;
    this.client = parts.client;
    this.admin = parts.admin;
    this.bucketName = parts.bucketName;
    this.raw = parts.raw;
    this.processes = parts.processes;
    this.devnet = parts.devnet;
    this.#close = close;
  }

  /** Starts a devnet, which `close` stops and removes. @throws as `startDevnet` */
  static async start(options: NetworkSettings, signal: AbortSignal): Promise<BenchNetwork> {
    const folder = await mkdtemp(join(tmpdir(), 'sealion-bench-'));
    const closes = [() => rm(folder, { recursive: true, force: true })];
    return opening(closes, async () => {
      const log = createLogger({ level: 'error' });
      const devnet = await startDevnet({ ...options, directory: join(folder, 'devnet'), log, signal });
      closes.push(() => devnet.stop());
      return BenchNetwork.#open(devnet.path, closes, signal, { devnet });
    });
  }

  /** Connects to the network that a file describes, by default to its first SP. @throws as `readNetwork` */
  static async connect(path: string, signal: AbortSignal, spId?: number): Promise<BenchNetwork> {
    const closes: (() => Promise<void>)[] = [];
    return opening(closes, () => BenchNetwork.#open(path, closes, signal, { spId }));
  }

  static async #open(
    path: string,
    closes: (() => Promise<void>)[],
    signal: AbortSignal,
    { devnet, spId }: { readonly devnet?: Devnet; readonly spId?: number | undefined },
  ): Promise<BenchNetwork> {
    const network = await readNetwork(path);
    const primary = spOf(network, spId);
    const session = await Session.open(network);
    closes.push(async () => session.close());
    const raw = await RawStore.open(primary.nats);
    closes.push(() => raw.close());
    const bucketName = `bench-${randomBytes(6).toString('hex')}`;
    await session.account.createBucket(
      { bucketName, primarySpAddress: primary.operatorAddress, familyId: primary.gvgFamilyId },
      { signal },
    );
    const { pid } = JSON.parse(await readFile(path, 'utf8')) as { readonly pid?: number };
    const found = pid === undefined ? [] : await devnetProcesses(pid);
    return new BenchNetwork(
      {
        session,
        primary,
        client: session.sp(primary),
        admin: await AdminApi.of(primary.admin, network.adminTokens),
        bucketName,
        raw,
        devnet,
        processes: found.length > 0 ? [...found, { name: 'client', pid: process.pid }] : [],
      },
      () => closeAll(closes),
    );
  }

  /** Undefined when the bench cannot observe the network's processes. */
  processNamed(name: string): NetworkProcess | undefined {
    return this.processes.find((one) => one.name === name);
  }

  async close(): Promise<void> {
    await this.#close();
  }
}

async function opening<T>(closes: (() => Promise<void>)[], open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await closeAll(closes);
    throw error;
  }
}

async function closeAll(closes: (() => Promise<void>)[]): Promise<void> {
  for (let next = closes.pop(); next; next = closes.pop()) await next();
}
