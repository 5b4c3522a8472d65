import type { StorageProvider } from '#protocols/greenfield/types';
import { type BackoffLimits, JOB_BACKOFF } from '#protocols/job/backoff';
import type { Ref } from '#runtime/actors/types';
import type { ByteBudget, ByteBudgets } from '#runtime/async/byte-budget';
import type { Chain } from '#runtime/chain/chain';
import type { Directory, Durability, JobFeed } from '#runtime/home/home';
import type { JobQueue } from '#runtime/jobs/job-queue';
import type { Journal } from '#runtime/journal/journal';
import type { Background } from '#runtime/load/background';
import type { PeerClient } from '#runtime/peers/peers';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { SignerMessage } from '../chain/signer.ts';
import type { SubmitTiming } from '../chain/submit-and-confirm.ts';
import type { SealChecks } from './replicate/seal-checks.ts';

/** What the primary's actors stand on; put together once per node. */
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
  readonly peers: PeerClient;
  readonly signer: Ref<SignerMessage>;
  /** The chain's SPs; briefly cached. */
  readonly providers: (signal?: AbortSignal) => Promise<readonly StorageProvider[]>;
  /** Payload bytes that the node's encoders may hold. */
  readonly memory: ByteBudget;
  /** Bytes on their way to each SP, over all objects. */
  readonly outgoing: ByteBudgets;
  readonly sealChecks: SealChecks;
  /** Clients come before the steps of replication. */
  readonly background: Pick<Background, 'yieldToClients'>;
  readonly durability: Durability;
  readonly timing: PrimaryTiming;
}

/** All in ms. */
export interface PrimaryTiming extends SubmitTiming {
  /** From an object's job being created to its reject on chain. */
  readonly jobDeadlineMs: number;
  /** How long an ask for approval waits for answers. */
  readonly approvalTimeoutMs: number;
  /** Between two tries of a phase. */
  readonly backoff: BackoffLimits;
  /**
   * Between two tries of a seal that waits for somebody to pay, or that has cost a fee in vain: rare enough to cost
   * little, often enough that the object is sealed soon after the deposit.
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
