import type { Logger } from '#runtime/telemetry/logger';
import type { Metrics } from '#runtime/telemetry/metrics';
import type { Traces } from '#runtime/telemetry/traces';
import type { NodeConfig } from '../config/schema.ts';
import type { Lifecycle } from './lifecycle.ts';

/** Context of the steps of a node's start. */
export interface StartContext {
  /** Name of the node, for example `sp-1@node-a`. */
  readonly name: string;
  readonly config: NodeConfig;
  /** Closes what the step opens. */
  readonly lifecycle: Lifecycle;
  /** Counts and times what the node does. */
  readonly metrics: Metrics;
  readonly traces: Traces;
  readonly log: Logger;
  /** Fires when the node must stop before it is ready. */
  readonly signal: AbortSignal;
}

/** Time limit for actors to finish, ms. */
export const DRAIN_LIMIT_MS = 5_000;
