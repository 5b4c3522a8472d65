import type { Chain } from '#runtime/chain/chain';
import type { Ledger } from '#runtime/journal/journal';
import type { Keyring } from '#runtime/keys/keys';
import type { PeerCounts } from '#runtime/peers/peer-counts';
import type { PeerHost } from '#runtime/peers/peers';
import type { PieceStore } from '#runtime/pieces/piece-store';

/** Dependencies of the secondary's actors; created once per node. */
export interface SecondaryPorts {
  readonly spId: number;
  readonly chain: Chain;
  readonly ledger: Ledger;
  readonly pieces: PieceStore;
  readonly host: PeerHost;
  /** For what comes over HTTP; the host counts what comes over NATS. */
  readonly counts: PeerCounts;
  readonly keys: Pick<Keyring, 'operator' | 'approval' | 'bls'>;
  readonly timing: SecondaryTiming;
}

/** All in ms. */
export interface SecondaryTiming {
  /** How long a receiver waits for a chain node that is behind the primary's. */
  readonly chainLagMs: number;
  /** Pause between two chain queries meanwhile. */
  readonly chainPollMs: number;
  /** `chainLagMs` for the HTTP wire, whose primaries wait only ten seconds for an answer: three queries in all. */
  readonly taskLagMs: number;
  readonly taskPollMs: number;
}

export const SECONDARY_TIMING: SecondaryTiming = {
  chainLagMs: 30_000,
  chainPollMs: 1_000,
  taskLagMs: 5_000,
  taskPollMs: 3_000,
};
