import type { StorageProvider } from '#protocols/greenfield/types';
import { type BackoffLimits, JOB_BACKOFF } from '#protocols/job/backoff';
import type { Ref } from '#runtime/actors/types';
import type { ByteBudget, ByteBudgets } from '#runtime/async/byte-budget';
import type { ReusedMemory } from '#runtime/async/reused-memory';
import type { Chain } from '#runtime/chain/chain';
import type { Directory, Durability, JobFeed } from '#runtime/home/home';
import type { JobQueue } from '#runtime/jobs/job-queue';
import type { Journal } from '#runtime/journal/journal';
import type { Background } from '#runtime/load/background';
import type { PeerClient } from '#runtime/peers/peers';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { SignerMessage } from '../chain/signer.ts';
import type { SubmitTiming } from '../chain/submit-and-confirm.ts';
import type { JobWatcher } from '../job-log.ts';
import type { SealChecks } from './replicate/seal-checks.ts';

/** The services that the primary's actors use; assembled once per node. */
export interface PrimaryPorts {
  readonly spId: number;
  /** Name of the node within the SP, for example `node-a`. */
  readonly node: string;
  readonly chainId: string;
  readonly chain: Chain;
  readonly journal: Journal;
  readonly pieces: PieceStore;
  readonly queue: JobQueue;
  readonly directory: Directory;
  readonly feed: JobFeed;
  /** Sees what happens to jobs, to measure it. */
  readonly watch?: JobWatcher;
  readonly peers: PeerClient;
  /** Whether an operator wants nothing to be stored with an SP at the moment. */
  readonly isBanned?: (spId: number) => boolean;
  readonly signer: Ref<SignerMessage>;
  /** All SPs on chain; briefly cached. */
  readonly providers: (signal?: AbortSignal) => Promise<readonly StorageProvider[]>;
  /** Memory budget for the payload that the node's encoders hold. */
  readonly memory: ByteBudget;
  /** Memory for the shards of segments, from the encoders; replicators give it back. */
  readonly shardMemory: ReusedMemory;
  /** Bytes in flight to each SP, over all objects. */
  readonly outgoing: ByteBudgets;
  readonly sealChecks: SealChecks;
  /** Lets clients go before the steps of replication. */
  readonly background: Pick<Background, 'yieldToClients'>;
  readonly durability: Durability;
  readonly timing: PrimaryTiming;
}

/** All in ms. */
export interface PrimaryTiming extends SubmitTiming {
  /** From the creation of a job to the reject of its object on chain. */
  readonly jobDeadlineMs: number;
  /** How long to wait for answers to an ask for approval. */
  readonly approvalTimeoutMs: number;
  /** Between two tries of a phase. */
  readonly backoff: BackoffLimits;
  /**
   * Between two tries of a seal that waits for a payment, or whose last try cost a fee: rare enough to be cheap, often
   * enough to seal the object soon after the deposit.
   */
  readonly paymentBackoff: BackoffLimits;
  /** Between two tries of a reject: nobody waits for it, and each may cost a fee. */
  readonly rejectBackoff: BackoffLimits;
}

export const PRIMARY_TIMING: PrimaryTiming = {
  jobDeadlineMs: 86_400_000,
  approvalTimeoutMs: 10_000,
  inclusionTimeoutMs: 60_000,
  chainPollMs: 500,
  rebroadcastMs: 5_000,
  backoff: JOB_BACKOFF,
  paymentBackoff: { minMs: 20_000, maxMs: 60_000 },
  rejectBackoff: { minMs: 60_000, maxMs: 600_000 },
};
