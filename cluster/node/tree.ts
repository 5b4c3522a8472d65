import { type CaretakerMessage, type CaretakerOptions, caretaker } from '#actors/caretaker/caretaker';
import { CARETAKER_TIMING, type CaretakerTiming } from '#actors/caretaker/timing';
import { announcer } from '#actors/chain/announcer';
import { type SignerMessage, signer } from '#actors/chain/signer';
import { signerLine } from '#actors/chain/signer-line';
import type { JobWatcher } from '#actors/job-log';
import { jobMetrics } from '#actors/job-metrics';
import { jobTraces } from '#actors/job-traces';
import type { AnnouncerMessage, RepairMessage } from '#actors/messages';
import { type JobsMessage, jobs } from '#actors/primary/jobs';
import { type ObjectsInbox, objects } from '#actors/primary/objects';
import { PRIMARY_TIMING, type PrimaryPorts } from '#actors/primary/ports';
import { SealChecks } from '#actors/primary/replicate/seal-checks';
import { type RepairerOptions, repairer } from '#actors/repair/repairer';
import { APPROVAL_LIMITS } from '#actors/secondary/approval-policy';
import { type ApproverMessage, approver } from '#actors/secondary/approver';
import { SECONDARY_TIMING } from '#actors/secondary/ports';
import { type ReceiversMessage, receivers } from '#actors/secondary/receivers';
import { feePolicy } from '#protocols/greenfield/fees';
import type { ActorSystem, Ref } from '#runtime/actors/types';
import { ByteBudget, ByteBudgets } from '#runtime/async/byte-budget';
import { ReusedMemory } from '#runtime/async/reused-memory';
import type { Chain } from '#runtime/chain/chain';
import type { Home } from '#runtime/home/open-home';
import { noRoles } from '#runtime/jobs/no-roles';
import type { Roles } from '#runtime/jobs/roles';
import type { Journal } from '#runtime/journal/journal';
import type { Keyring } from '#runtime/keys/keys';
import type { Background } from '#runtime/load/background';
import { absentHost } from '#runtime/peers/absent-host';
import type { PeerHost } from '#runtime/peers/peers';
import type { Records } from '#runtime/records/records';
import type { Metrics } from '#runtime/telemetry/metrics';
import type { Traces } from '#runtime/telemetry/traces';
import { hasRole, type Role } from '../config/roles.ts';
import type { NodeConfig } from '../config/schema.ts';
import type { Wires } from './wires.ts';

/** Dependencies of a node's actors. */
export interface TreeDependencies {
  readonly config: NodeConfig;
  readonly keys: Keyring;
  readonly chain: Chain;
  readonly journal: Journal;
  readonly records: Records;
  readonly home: Home;
  readonly wires: Wires;
  readonly background: Background;
  /** Whether an operator has banned an SP. */
  readonly isBanned: (spId: number) => boolean;
  /** Number of nodes that approve for the SP. */
  readonly approving: () => number;
  /** Bytes free for pieces. */
  readonly freeBytes: (signal: AbortSignal) => Promise<number>;
  readonly metrics: Metrics;
  readonly traces: Traces;
}

/** Leases held at once for each job in work, with those of jobs that only wait for the chain. */
const LEASES_FOR_EACH_JOB = 4;
/** How long to wait for one holder of a lost piece before asking another as well, ms. */
const HEDGE_MS = 1_000;
const HOUR_MS = 3_600_000;

/** The actors that receive messages from outside the tree, most of them from the gateway. */
export interface TopActors {
  readonly objects: Ref<ObjectsInbox>;
  readonly receivers: Ref<ReceiversMessage>;
  readonly approver: Ref<ApproverMessage>;
  /** Only a node with the role `task` pulls the work queue. */
  readonly jobs?: Ref<JobsMessage>;
  readonly repairer: Ref<RepairMessage>;
  readonly announcer: Ref<AnnouncerMessage>;
  /** Is notified when the home plane has lost data; only a keeper has one. */
  readonly caretaker?: Ref<CaretakerMessage>;
}

/** Memory for shards that is kept for the next segments, bytes: as much as one object of large segments has in work. */
const SHARD_MEMORY = 96 * 2 ** 20;

/**
 * The part of the byte budget reserved for chunks that are being read from the PieceStore: an encoder that holds the
 * rest must still be able to read.
 */
export function readBytes(byteBudget: number): number {
  return byteBudget / 4;
}

/**
 * Spawns the top actors of a node (ARCHITECTURE.md#the-actor-tree). Every node has the supervisors of objects and
 * columns, because all work on an object is done by its actor; the roles decide which messages reach them.
 */
export function spawnTree(system: ActorSystem, dependencies: TreeDependencies): TopActors {
  const { config, home, background } = dependencies;
  const has = (role: Role) => hasRole(config.roles, role);
  const memory = new ByteBudget(config.limits.byteBudget - readBytes(config.limits.byteBudget));
  // A node without the role `keeper` forwards signatures and announcements to one that has it.
  const roles = has('keeper') ? home.roles : noRoles;
  const host = has('receiver') ? dependencies.wires.host : absentHost;
  const { sealing, operating } = spawnSigners(system, dependencies, roles);
  const primary = spawnObjects(system, dependencies, sealing, memory);
  const announcing = system.spawn(
    'announcer',
    announcer({
      chain: dependencies.chain,
      signer: operating,
      timing: PRIMARY_TIMING,
      roles,
      calls: home.calls,
      perAccountPerHour: config.gateway.delegation.perAccountPerHour,
    }),
  );
  const { approving, receiving } = spawnReceivers(system, dependencies, host);
  const repairing = spawnRepairer(system, dependencies, {
    host,
    memory,
    objects: primary,
    receivers: receiving,
  });
  const limit = LEASES_FOR_EACH_JOB * config.limits.concurrentJobs;
  const pulling = has('task')
    ? system.spawn('jobs', jobs({ queue: home.queue, objects: primary, limit, background }))
    : undefined;
  const caring = has('keeper')
    ? spawnCaretaker(system, dependencies, { objects: primary, receivers: receiving, repairer: repairing })
    : undefined;
  return {
    objects: primary,
    receivers: receiving,
    approver: approving,
    repairer: repairing,
    announcer: announcing,
    ...(pulling && { jobs: pulling }),
    ...(caring && { caretaker: caring }),
  };
}

function spawnSigners(system: ActorSystem, { config, keys, chain, home }: TreeDependencies, roles: Roles) {
  const fees = feePolicy(config.chain.fees);
  const { sealsPerTransaction } = config.chain;
  const signerOf = (name: 'seal' | 'operator') => {
    const line = signerLine(home.calls, keys[name].address);
    return system.spawn(
      `signer/${name}`,
      signer({ key: keys[name], chain, roles, line, fees, sealsPerTransaction }),
    );
  };
  const sealing = signerOf('seal');
  // One signer for each key: two would use the same sequences.
  const operating = keys.operator.address === keys.seal.address ? sealing : signerOf('operator');
  return { sealing, operating };
}

function watchJobs(metrics: Metrics, traces: Traces): JobWatcher {
  const count = jobMetrics(metrics);
  if (!traces.on) return count;
  const trace = jobTraces(traces);
  return (change) => {
    count(change);
    trace(change);
  };
}

function spawnObjects(
  system: ActorSystem,
  { config, chain, journal, home, wires, background, isBanned, metrics, traces }: TreeDependencies,
  sealing: Ref<SignerMessage>,
  memory: ByteBudget,
) {
  const { pieces, queue, directory, feed, durability } = home;
  const outgoing = new ByteBudgets(config.limits.bytesPerSp);
  const shardMemory = new ReusedMemory(SHARD_MEMORY);
  shardMemory.watch(metrics, 'shard_memory');
  metrics.watchBound({
    what: 'byte_budget',
    unit: 'bytes',
    limit: () => memory.limit,
    used: () => memory.used,
  });
  metrics.watchBound({
    what: 'bytes_to_one_sp',
    unit: 'bytes',
    limit: () => config.limits.bytesPerSp,
    used: () => outgoing.mostUsed,
  });
  const ports: PrimaryPorts = {
    spId: config.sp.id,
    node: config.node,
    chainId: chain.chainId,
    chain,
    journal,
    pieces,
    queue,
    directory,
    feed,
    watch: watchJobs(metrics, traces),
    peers: wires.client,
    isBanned,
    signer: sealing,
    providers: (signal) => chain.storageProviders(signal && { signal }),
    memory,
    shardMemory,
    outgoing,
    sealChecks: new SealChecks(),
    background,
    durability,
    timing: { ...PRIMARY_TIMING, jobDeadlineMs: jobDeadlineMs(config) },
  };
  return system.spawn('objects', objects(ports));
}

function spawnReceivers(system: ActorSystem, dependencies: TreeDependencies, host: PeerHost) {
  const {
    config,
    keys,
    chain,
    journal,
    home,
    wires,
    background,
    freeBytes,
    isBanned,
    approving: nodes,
  } = dependencies;
  const ports = {
    spId: config.sp.id,
    chain,
    pieces: home.pieces,
    keys,
    ledger: journal.ledger,
    host,
    counts: wires.counts,
    timing: SECONDARY_TIMING,
  };
  const limits = { ...APPROVAL_LIMITS, reserveBytes: config.limits.diskReserve };
  const approving = system.spawn('approver', approver({ ports, limits, freeBytes, nodes, isBanned }));
  const limit = config.limits.concurrentColumns;
  const receiving = system.spawn('receivers', receivers({ ports, approver: approving, limit, background }));
  return { approving, receiving };
}

/**
 * The node is about to stop: its jobs go back into the queue, and no job, offer or ask is accepted any more. Requests
 * of clients are still served.
 * @param hasOthers whether other nodes of the SP may take all that
 */
export function drainTree(
  { jobs: pulling, objects: primary, receivers: receiving, approver: approving }: TopActors,
  hasOthers: boolean,
): void {
  pulling?.tell({ type: 'drain' });
  primary.tell({ type: 'drain' });
  receiving.tell({ type: 'drain' });
  approving.tell({ type: 'drain', hasOthers });
}

function spawnRepairer(
  system: ActorSystem,
  { config, chain, journal, home, wires, metrics, traces }: TreeDependencies,
  beside: Pick<RepairerOptions, 'host' | 'memory' | 'objects' | 'receivers'>,
) {
  const { pieces, calls } = home;
  return system.spawn(
    'repairer',
    repairer({
      spId: config.sp.id,
      chain,
      journal,
      pieces,
      peers: wires.pieces,
      counts: wires.counts,
      sizes: metrics,
      traces,
      calls,
      hedgeMs: HEDGE_MS,
      ...beside,
    }),
  );
}

function spawnCaretaker(
  system: ActorSystem,
  { config, chain, journal, records, home, background }: TreeDependencies,
  beside: Pick<CaretakerOptions, 'objects' | 'receivers' | 'repairer'>,
) {
  const { roles, queue, pieces } = home;
  return system.spawn(
    'caretaker',
    caretaker({
      spId: config.sp.id,
      roles,
      journal,
      records,
      queue,
      pieces,
      chain,
      scrubRate: config.limits.scrubRate,
      background,
      timing: {
        ...CARETAKER_TIMING,
        ...spaceTiming(config),
        scrubPassMs: config.timing.scrubDays * 24 * HOUR_MS,
        columnAbandonedAfterMs: jobDeadlineMs(config) + 24 * HOUR_MS,
        retentionMs: config.journal.retentionDays * 24 * HOUR_MS,
      },
      ...beside,
    }),
  );
}

function jobDeadlineMs({ timing }: NodeConfig): number {
  return timing.jobDeadlineHours * HOUR_MS;
}

/** Columns are checked more often than all stored data, since their records make a search unnecessary. */
function spaceTiming({ timing }: NodeConfig): Partial<CaretakerTiming> {
  const surveyEveryMs = timing.spaceHours * HOUR_MS;
  const oftenMs = Math.min(CARETAKER_TIMING.spaceEveryMs, surveyEveryMs / 4);
  return {
    surveyEveryMs,
    spaceEveryMs: oftenMs,
    columnsEveryMs: oftenMs,
    columnGraceMs: Math.min(CARETAKER_TIMING.columnGraceMs, surveyEveryMs),
    readersGraceMs: timing.replacedMinutes * 60_000,
  };
}
