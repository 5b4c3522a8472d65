import {
  demand,
  PATHS,
  RESOURCES,
  type Resource,
  SECONDARIES,
  type Setting,
  STEPS,
  type Step,
  segmentsOf,
} from './demand.ts';

/** Performance of a network, predicted by queueing theory (cluster/bench/README.md#capacity). Times in seconds. */
export interface Prediction {
  /** Objects per second at which the first resource is saturated. */
  readonly limit: number;
  /** That resource. */
  readonly bottleneck: Bottleneck;
  /** Used share of each resource; above 1 where the network cannot keep up. */
  readonly utilisation: Readonly<Record<Bottleneck, number>>;
  /** Mean time from the start of an upload to its acknowledgement and to its seal; infinite beyond the limit. */
  readonly ackSeconds: number;
  readonly sealSeconds: number;
}

export type Bottleneck = Resource | 'chain';

/**
 * Predicts the performance of a network. Every resource of an SP is modelled as a queue, first come, first served, with
 * random arrivals. The wait for a resource depends on its utilisation and on how long single objects occupy it
 * (Pollaczek–Khinchine formula). Objects pass from one resource to the next segment by segment.
 */
export function predict(setting: Setting): Prediction {
  const utilisation = Object.fromEntries([
    ...RESOURCES.map((resource) => [resource, used(setting, resource)]),
    ['chain', (setting.objectsPerSecond * setting.chain.blockSeconds) / setting.chain.sealsPerBlock],
  ]) as Record<Bottleneck, number>;
  const [bottleneck, most] = Object.entries(utilisation).reduce((a, b) => (b[1] > a[1] ? b : a)) as [
    Bottleneck,
    number,
  ];
  const full = most >= 1;
  const ack = full ? Number.POSITIVE_INFINITY : stepTime(setting, 'receive', 1);
  const replicated = full ? 0 : stepTime(setting, 'send', 1) + stepTime(setting, 'hold', SECONDARIES);
  return {
    limit: setting.objectsPerSecond / most,
    bottleneck,
    utilisation,
    ackSeconds: ack,
    sealSeconds: ack + replicated + chainTime(setting, utilisation.chain),
  };
}

/** How often each SP performs a step, per second. */
function frequency({ objectsPerSecond, sps }: Setting, step: Step): number {
  return (objectsPerSecond / sps) * (step === 'hold' ? SECONDARIES : 1);
}

function used(setting: Setting, resource: Resource): number {
  return STEPS.reduce((sum, step) => sum + frequency(setting, step) * demand(setting, step, resource), 0);
}

/** Mean wait for a resource: that of a queue whose service times are the durations of the steps. */
function wait(setting: Setting, resource: Resource): number {
  const residual = STEPS.reduce(
    (sum, step) => sum + (frequency(setting, step) * demand(setting, step, resource) ** 2) / 2,
    0,
  );
  return residual / (1 - used(setting, resource));
}

/** Mean time of a step, or of the slowest of several copies at different SPs. */
function stepTime(setting: Setting, step: Step, copies: number): number {
  const path = PATHS[step];
  const segments = segmentsOf(setting);
  const single = path.map((resource) => demand(setting, step, resource) / segments);
  const moving = single.reduce((sum, one) => sum + one, 0) + (segments - 1) * Math.max(...single);
  const waits = path.map((resource) => ({ mean: wait(setting, resource), used: used(setting, resource) }));
  const mean = waits.reduce((sum, one) => sum + one.mean, 0);
  // The slowest copy is not the slowest at each of its resources, so the deviations are added as squares.
  const excess = Math.hypot(...waits.map((one) => slowestOf(copies, one.mean, one.used) - one.mean));
  return moving + mean + excess;
}

/** Mean of the longest of several waits, each of which is 0 with probability 1 − `used` and otherwise exponential. */
function slowestOf(copies: number, mean: number, used: number): number {
  if (mean === 0) return 0;
  let sum = 0;
  let ways = 1;
  for (let k = 1; k <= copies; k += 1) {
    ways = (ways * (copies - k + 1)) / k;
    sum += ((k % 2 === 1 ? 1 : -1) * ways * used ** k) / k;
  }
  return (mean / used) * sum;
}

/** Mean time until a seal is in a block: half a block interval, and the wait for room in a block. */
function chainTime({ chain }: Setting, used: number): number {
  if (used >= 1) return Number.POSITIVE_INFINITY;
  const overflow = used / (2 * chain.sealsPerBlock * (1 - used));
  return chain.blockSeconds * (1 / 2 + overflow);
}
