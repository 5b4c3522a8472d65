import type { NatsConnection } from '@nats-io/nats-core';
import type { LeaseNotes } from '../../jobs/lease-book.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Sizes } from '../../telemetry/sizes.ts';
import type { ControlCodec } from './control-codec.ts';
import type { FlowLimits } from './limits.ts';
import type { SenderLimits } from './sender-limits.ts';

/** Waiting times of the peers plane, ms. */
export interface PeerTimes {
  /** After this time without progress the other end of a session counts as stalled. */
  readonly stall: number;
  /**
   * A session ends after this time without a byte, or when it is too slow on average after it, even if its sender
   * is alive.
   */
  readonly idle: number;
  /** How long an offer waits for an answer. */
  readonly offer: number;
  /** After this time without a renewal an offer goes to another node of the SP. */
  readonly ackWait: number;
}

/** Dependencies of all parts of the adapter. */
export interface PeerContext {
  readonly spId: number;
  /** The peers plane. */
  readonly connection: NatsConnection;
  readonly codec: ControlCodec;
  readonly limits: FlowLimits;
  readonly times: PeerTimes;
  /** Where held offers are noted for the next process of this node. */
  readonly notes?: LeaseNotes;
  readonly log: Logger;
  /** Shown the sizes of what is bounded. */
  readonly sizes: Sizes;
  /** Limits everything that another SP can cause to be logged. */
  readonly senderLimits: SenderLimits;
  /** Fires when the adapter is closed. */
  readonly closed: AbortSignal;
}
