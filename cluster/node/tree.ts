import { type CaretakerMessage, caretaker } from '#actors/care/caretaker';
import { CARETAKER_TIMING, type CaretakerTiming } from '#actors/care/timing';
import { announcer } from '#actors/chain/announcer';
import { signer } from '#actors/chain/signer';
import { signerLine } from '#actors/chain/signer-line';
import type { AnnouncerMessage, ObjectsMessage, ReceptionMessage, RepairMessage } from '#actors/messages';
import { jobs } from '#actors/primary/jobs';
import { objects } from '#actors/primary/objects';
import { PRIMARY_TIMING } from '#actors/primary/ports';
import { SealChecks } from '#actors/primary/replicate/seal-checks';
import { repairer } from '#actors/repair/repairer';
import { APPROVAL_LIMITS } from '#actors/secondary/approval-policy';
import { approver } from '#actors/secondary/approver';
import { SECONDARY_TIMING } from '#actors/secondary/ports';
import { receivers } from '#actors/secondary/receivers';
import { feePolicy } from '#protocols/greenfield/fees';
import type { ActorSystem, Ref } from '#runtime/actors/types';
import { ByteBudget, ByteBudgets } from '#runtime/async/byte-budget';
import type { Chain } from '#runtime/chain/chain';
import type { Home } from '#runtime/home/open-home';
import type { Journal } from '#runtime/journal/journal';
import type { Keyring } from '#runtime/keys/keys';
import type { Background } from '#runtime/load/background';
import type { Records } from '#runtime/records/records';
import type { NodeConfig } from '../config/schema.ts';
import type { Wires } from './wires.ts';

/** What the actors of a node stand on. */
export interface TreeParts {
  readonly config: NodeConfig;
  readonly keys: Keyring;
  readonly chain: Chain;
  readonly journal: Journal;
  readonly records: Records;
  readonly home: Home;
  readonly wires: Wires;
  readonly background: Background;
  /** Bytes free for pieces. */
  readonly freeBytes: (signal: AbortSignal) => Promise<number>;
}

/** Leases held at once for each job in work, with those of jobs that only wait for the chain. */
const LEASES_FOR_EACH_JOB = 4;
/** A holder of a lost piece that is silent for so long is no longer waited for alone, ms. */
const HEDGE_MS = 1_000;
const HOUR_MS = 3_600_000;

/** The actors that are spoken to from outside of the tree, most of them by the gateway. */
export interface TopActors {
  readonly objects: Ref<ObjectsMessage>;
  readonly receivers: Ref<ReceptionMessage>;
  readonly repairer: Ref<RepairMessage>;
  readonly announcer: Ref<AnnouncerMessage>;
  /** Hears of what the home plane has lost. */
  readonly caretaker: Ref<CaretakerMessage>;
}

/**
 * The part of the byte budget that chunks on their way out of the PieceStore have for themselves: an encoder that
 * holds the rest must still be able to read.
 */
export function readBytes(byteBudget: number): number {
  return byteBudget / 4;
}

/** Spawns the top actors of a node (ARCHITECTURE.md#the-actor-tree). */
export function spawnTree(system: ActorSystem, parts: TreeParts): TopActors {
  const { config, keys, chain, journal, records, home, wires, freeBytes, background } = parts;
  const { pieces, roles, queue, directory, feed, durability } = home;
  const spId = config.sp.id;
  const jobDeadlineMs = config.timing.jobDeadlineHours * HOUR_MS;

  const { byteBudget, bytesPerSp, concurrentJobs, concurrentColumns } = config.limits;
  const memory = new ByteBudget(byteBudget - readBytes(byteBudget));
  const secondary = {
    spId,
    chain,
    pieces,
    keys,
    ledger: journal.ledger,
    host: wires.host,
    timing: SECONDARY_TIMING,
  };
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
  // One key has one signer, or two would give its sequences out.
  const operating = keys.operator.address === keys.seal.address ? sealing : signerOf('operator');
  const primary = system.spawn(
    'objects',
    objects({
      spId,
      node: config.node,
      chainId: chain.chainId,
      chain,
      journal,
      pieces,
      queue,
      directory,
      feed,
      peers: wires.client,
      signer: sealing,
      providers: (signal) => chain.storageProviders(signal && { signal }),
      memory,
      outgoing: new ByteBudgets(bytesPerSp),
      sealChecks: new SealChecks(),
      background,
      durability,
      timing: { ...PRIMARY_TIMING, jobDeadlineMs },
    }),
  );
  const announcing = system.spawn(
    'announcer',
    announcer({ chain, signer: operating, timing: PRIMARY_TIMING, roles, calls: home.calls }),
  );
  const limits = { ...APPROVAL_LIMITS, reserveBytes: config.limits.diskReserve };
  const approving = system.spawn('approver', approver({ ports: secondary, limits, freeBytes }));
  const receiving = system.spawn(
    'receivers',
    receivers({ ports: secondary, approver: approving, limit: concurrentColumns, background }),
  );
  const repairing = system.spawn(
    'repairer',
    repairer({
      spId,
      chain,
      journal,
      pieces,
      peers: wires.pieces,
      host: wires.host,
      calls: home.calls,
      memory,
      hedgeMs: HEDGE_MS,
      objects: primary,
      receivers: receiving,
    }),
  );
  system.spawn(
    'jobs',
    jobs({ queue, objects: primary, limit: LEASES_FOR_EACH_JOB * concurrentJobs, background }),
  );
  const caring = system.spawn(
    'caretaker',
    caretaker({
      spId,
      roles,
      journal,
      records,
      queue,
      pieces,
      chain,
      receivers: receiving,
      repairer: repairing,
      scrubRate: config.limits.scrubRate,
      objects: primary,
      background,
      timing: {
        ...CARETAKER_TIMING,
        ...spaceTiming(config),
        scrubPassMs: config.timing.scrubDays * 24 * HOUR_MS,
        columnAbandonedAfterMs: jobDeadlineMs + 24 * HOUR_MS,
        retentionMs: config.journal.retentionDays * 24 * HOUR_MS,
      },
    }),
  );
  return {
    objects: primary,
    receivers: receiving,
    repairer: repairing,
    announcer: announcing,
    caretaker: caring,
  };
}

/** Columns are looked at more often than everything that is stored, since they are known without a search. */
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
