import type { ByteBudget } from '#runtime/async/byte-budget';
import type { Chain } from '#runtime/chain/chain';
import type { Journal } from '#runtime/journal/journal';
import type { PeerCounts } from '#runtime/peers/peer-counts';
import type { PieceSource } from '#runtime/peers/peers';
import type { PieceStore } from '#runtime/pieces/piece-store';
import type { Sizes } from '#runtime/telemetry/sizes';
import type { Traces } from '#runtime/telemetry/traces';

/** Dependencies of verification and repair; created once per node. */
export interface RepairPorts {
  readonly spId: number;
  readonly chain: Chain;
  readonly journal: Pick<Journal, 'read' | 'ledger'>;
  readonly pieces: PieceStore;
  /** The other SPs. */
  readonly peers: PieceSource;
  /** For what they fetch over HTTP; the host counts what they fetch over NATS. */
  readonly counts: PeerCounts;
  /** Shown the sizes of the caches. */
  readonly sizes: Sizes;
  /** For the repairs that are traced: those of readers that are, and a share of all others. */
  readonly traces: Pick<Traces, 'root'>;
  /** Payload bytes that the node may hold. */
  readonly memory: ByteBudget;
  /** How long to wait for a holder before asking another in parallel, ms. */
  readonly hedgeMs: number;
}
