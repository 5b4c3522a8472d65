import { join } from 'node:path';
import { spaceReport } from '#actors/care/space/report';
import { SUPERVISION } from '#actors/supervision';
import { createGateway } from '#gateway/gateway';
import { DEFAULT_LIMITS, type GatewayLimits } from '#gateway/limits';
import { serveGateway } from '#gateway/server';
import { fallbackCause } from '#protocols/greenfield/secp256k1/secp256k1';
import { createActorSystem } from '#runtime/actors/system';
import type { TreeNode } from '#runtime/actors/types';
import { connectChain } from '#runtime/chain/connect';
import { openHome } from '#runtime/home/open-home';
import { fencedJournal } from '#runtime/journal/fenced-journal';
import { openLevelJournal } from '#runtime/journal/level-journal';
import { openKeyring } from '#runtime/keys/keyring';
import { Background } from '#runtime/load/background';
import { runProjector } from '#runtime/records/projector';
import { sqliteRecords } from '#runtime/records/sqlite';
import { createLogger, type Logger } from '#runtime/telemetry/logger';
import type { NodeConfig } from '../config/schema.ts';
import { serveAdmin } from './admin.ts';
import { freeSpace } from './free-space.ts';
import { ownProvider } from './identity.ts';
import { Lifecycle } from './lifecycle.ts';
import { connectPlane } from './planes.ts';
import { retryUntilUp } from './retry-until-up.ts';
import { readBytes, spawnTree } from './tree.ts';
import { openWires } from './wires.ts';

export interface RunningNode {
  /** For example `sp-1@node-a`. */
  readonly name: string;
  readonly ports: { readonly gateway: number; readonly admin: number };
  /** What its actors are doing. */
  tree(): TreeNode;
  /** Closes everything in reverse order, each part in bounded time. */
  stop(): Promise<void>;
}

/** Time limit for open requests and their actors to finish, ms. */
const DRAIN_LIMIT_MS = 5_000;

/**
 * Starts one node of an SP: the only place where its parts are assembled. It waits for dependencies that are not
 * reachable yet (chain, NATS).
 * @throws Terminal for errors that only an operator can correct: keys that are not the SP's, a wrong chain, a data
 * folder in use, refused credentials, taken ports; Cancelled when the signal fires before it serves
 */
export async function startNode(
  config: NodeConfig,
  options: { readonly signal?: AbortSignal } = {},
): Promise<RunningNode> {
  const name = `sp-${config.sp.id}@${config.node}`;
  const { level, file } = config.log;
  const log = createLogger({ level, ...(file !== undefined && { file }), fields: { node: name } });
  const parts = new Lifecycle(log);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= parts.close().then(() => log.info({}, 'stopped'));
    return stopped;
  };
  try {
    const signal = options.signal ?? new AbortController().signal;
    return { name, stop, ...(await openParts(name, config, parts, log, signal)) };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openParts(
  name: string,
  config: NodeConfig,
  parts: Lifecycle,
  log: Logger,
  signal: AbortSignal,
): Promise<Pick<RunningNode, 'ports' | 'tree'>> {
  const { sp, dataDir, timing } = config;
  const keys = await openKeyring(config.keys);
  if (fallbackCause !== undefined) {
    log.warn(
      { cause: String(fallbackCause) },
      'signing in JavaScript, which costs twenty times the CPU of the native library',
    );
  }
  // Opened first: its lock keeps a second process out of the data folder.
  const journal = await parts.open(
    'journal',
    () => openLevelJournal({ directory: join(dataDir, 'journal') }),
    (it) => it.close(),
  );
  const chain = await parts.open(
    'chain',
    () => connectChain({ ...config.chain, log }),
    (it) => it.close(),
  );
  const own = await retryUntilUp(
    'the chain',
    async () => {
      await chain.latestBlock({ signal });
      return ownProvider(await chain.storageProviders({ signal }), keys, sp.id, sp.operatorAddress);
    },
    { log, signal },
  );
  log.info(
    { spId: own.id, operator: own.operatorAddress, status: own.status },
    'the keys match the SP on chain',
  );

  const homeLink = await parts.open(
    'connection to the home plane',
    () => connectPlane({ spId: sp.id, name, plane: 'home', config: config.nats.home, log, signal }),
    (it) => it.close(),
  );
  const readLink = await parts.open(
    'connection to the home plane for reading payload',
    () =>
      connectPlane({
        spId: sp.id,
        name: `${name} reads`,
        plane: 'home',
        config: config.nats.home,
        log,
        signal,
      }),
    (it) => it.close(),
  );
  const { replicas, syncAlways, shared } = config.nats.home;
  const { ackWaitMs } = timing;
  const home = await retryUntilUp(
    'the streams of the home plane',
    () =>
      openHome({
        connection: homeLink,
        readConnection: readLink,
        readMemory: readBytes(config.limits.byteBudget),
        node: name,
        journal: journal.id,
        replicas,
        syncAlways,
        shared,
        ackWaitMs,
        log,
      }),
    { log, signal },
  );
  const ownJournal = fencedJournal(journal, () => home.succession.check());
  const wires = await openWires({ name, config, keys, chain, home: homeLink, parts, log, signal });

  const records = await parts.open(
    'records',
    () => sqliteRecords(join(dataDir, 'records.sqlite')),
    (it) => it.close(),
  );
  await parts.open(
    'projector',
    () => {
      const stopping = new AbortController();
      return { stopping, ended: runProjector({ journal, records, log, signal: stopping.signal }) };
    },
    ({ stopping, ended }) => {
      stopping.abort();
      return ended;
    },
  );
  const background = await parts.open(
    'background',
    () => new Background(config.limits.concurrentJobs),
    (it) => it.close(),
  );
  const system = await parts.open(
    'actors',
    () => createActorSystem({ name, supervision: SUPERVISION, log }),
    (it) => it.stop(),
    DRAIN_LIMIT_MS,
  );
  const freeBytes = (asked: AbortSignal) => freeSpace(homeLink, dataDir, asked);
  const { objects, receivers, repairer, announcer, caretaker } = spawnTree(system, {
    config,
    keys,
    chain,
    journal: ownJournal,
    records,
    home,
    wires,
    freeBytes,
    background,
  });
  await parts.open(
    'keeper of the streams',
    () => {
      const stopping = new AbortController();
      const onLost = (what: 'jobs' | 'pieces') => {
        if (!caretaker.tell({ type: 'lost', what }))
          log.warn({ what }, 'the caretaker is busy and will check in its next round');
      };
      return { stopping, ended: home.keepStreams({ signal: stopping.signal, onLost }) };
    },
    ({ stopping, ended }) => {
      stopping.abort();
      return ended;
    },
  );
  const tree = () => system.tree();
  await parts.open(
    'inspect point',
    () => home.inspect.serve(name, tree),
    (it) => it.stop(),
  );
  const { durability } = home;
  const space = () => spaceReport(journal.ledger, timing.replacedMinutes * 60_000);
  const admin = await parts.open(
    'admin server',
    () =>
      serveAdmin(
        {
          node: name,
          spId: sp.id,
          durability,
          tree,
          journal,
          records,
          space,
          load: () => background.report,
          log,
        },
        { ...config.admin.listen, hosts: config.admin.hosts },
      ),
    (it) => it.close(),
  );
  const gateway = await parts.open(
    'gateway',
    () =>
      serveGateway(
        createGateway({
          chain,
          spId: sp.id,
          pieces: home.pieces,
          offChainKeys: records.offChainKeys,
          objects,
          announcer,
          repairer,
          ...(config.peers.wires.includes('http') && { receivers }),
          limits: gatewayLimits(config),
          domains: config.gateway.domains,
          anyHost: config.gateway.anyHost,
          corsOrigins: config.gateway.corsOrigins,
          log,
        }),
        {
          ...config.gateway.listen,
          closeTimeoutMs: DRAIN_LIMIT_MS,
          maxPerClient: config.gateway.perClient.connections,
          onRequest: ({ url }) => (isOfPeer(url) ? () => undefined : background.request()),
          log,
        },
      ),
    (it) => it.close(),
    2 * DRAIN_LIMIT_MS,
  );
  const ports = { gateway: gateway.port, admin: admin.port };
  log.info({ ...ports, durability }, `serving; an acknowledged payload is ${durability}`);
  return { ports, tree };
}

/** Requests of other SPs do not take precedence over our own jobs. */
function isOfPeer(url = '/'): boolean {
  return url.startsWith('/greenfield/');
}

/** Where the configuration sets no limit of its own, the chain's on the size of an object is the only one. */
function gatewayLimits({ limits, gateway }: NodeConfig): GatewayLimits {
  return {
    ...DEFAULT_LIMITS,
    maxPayloadSize: limits.maxPayload ?? Number.MAX_SAFE_INTEGER,
    maxUploads: limits.concurrentUploads,
    maxReceptions: limits.concurrentReceptions,
    maxDownloads: limits.concurrentDownloads,
    idleTimeoutMs: limits.idleTimeoutMs,
    minBytesPerSecond: limits.minUploadRate,
    minDownloadBytesPerSecond: limits.minDownloadRate,
    perClient: gateway.perClient,
    delegation: gateway.delegation,
  };
}
