import type { LoadReport } from '#runtime/load/background';
import type { LastHour, NodeReport, Readiness, Totals } from '../view/node-report.ts';
import type { Probes } from './probes.ts';

/** Sums since the start of the node, and its last hour. */
export interface Counters {
  totals(): Totals;
  lastHour(): LastHour;
}

export interface ReporterOptions
  extends Pick<NodeReport, 'node' | 'spId' | 'version' | 'roles' | 'durability' | 'since'> {
  /** With less free space the node accepts no columns of other SPs, bytes. */
  readonly reserveBytes: number;
  readonly probes: Probes;
  readonly load: () => LoadReport;
  readonly readiness: () => Readiness;
  /** Whether the node refuses uploads. */
  readonly isPaused: () => boolean;
  readonly counters: Counters;
  /** Leases that the node has lost. */
  readonly leaseLosses: () => NodeReport['leaseLosses'];
}

/** What a node says of itself, to its own admin server and to those of the SP's other nodes. */
export function nodeReporter(options: ReporterOptions): () => Promise<NodeReport> {
  const { probes, load, readiness, isPaused, counters, leaseLosses, reserveBytes, ...facts } = options;
  return async () => {
    const { disk, ...found } = await probes.look();
    const losses = leaseLosses();
    return {
      ...facts,
      ...found,
      readiness: readiness(),
      paused: isPaused(),
      ...(losses && { leaseLosses: losses }),
      load: load(),
      disk: { ...disk, reserveBytes },
      totals: counters.totals(),
      lastHour: counters.lastHour(),
    };
  };
}
