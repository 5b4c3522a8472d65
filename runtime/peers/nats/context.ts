import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from '../../telemetry/logger.ts';
import type { ControlCodec } from './control-codec.ts';
import type { FlowLimits } from './limits.ts';
import type { Strangers } from './strangers.ts';

/** Waiting times of the peers plane, ms. */
export interface PeerTimes {
  /** Without progress for so long, the other end of a session counts as stalled. */
  readonly stall: number;
  /** Without a byte for so long, or in all too slow after so long, a session ends although its sender is there. */
  readonly idle: number;
  /** How long an offer waits to be taken up. */
  readonly offer: number;
  /** An offer whose holder is silent for so long goes to another node of the SP. */
  readonly ackWait: number;
}

/** What every part of the adapter stands on. */
export interface PeerContext {
  readonly spId: number;
  /** The peers plane. */
  readonly connection: NatsConnection;
  readonly codec: ControlCodec;
  readonly limits: FlowLimits;
  readonly times: PeerTimes;
  readonly log: Logger;
  /** For all that another SP can cause to be logged. */
  readonly strangers: Strangers;
  /** Fires when the adapter is closed. */
  readonly closed: AbortSignal;
}
