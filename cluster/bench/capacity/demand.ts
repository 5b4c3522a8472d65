/** CPU time that objects cost, as measured by the bench; seconds of one core. */
export interface Costs {
  /** Event loop of the primary's node. */
  readonly primary: Cost;
  /** Event loop of each secondary's node, per byte of the whole object. */
  readonly secondary: Cost;
  /** nats-server of the primary. */
  readonly storePrimary: Cost;
  /** nats-server of each secondary. */
  readonly storeSecondary: Cost;
}

export interface Cost {
  readonly perObject: number;
  readonly perByte: number;
}

/** A network of equal storage providers, and its load. */
export interface Setting {
  readonly sps: number;
  /** Uploads per second in the whole network; each SP is the primary of an equal share. */
  readonly objectsPerSecond: number;
  /** Size of each object, bytes. */
  readonly objectBytes: number;
  /** Maximum size of a segment, bytes. */
  readonly segmentBytes: number;
  readonly machine: Machine;
  readonly chain: ChainRate;
  readonly costs: Costs;
}

/** The resources of one SP. */
export interface Machine {
  /** Node processes that share the work; each has one event loop. */
  readonly nodes: number;
  /** Cores that nats-server may use. */
  readonly storeCores: number;
  /** Bytes per second in each direction. */
  readonly linkRate: number;
  /** Total write rate of all disks, bytes per second. */
  readonly diskRate: number;
}

export interface ChainRate {
  readonly blockSeconds: number;
  /** Number of seals that fit into a block in addition to all other transactions. */
  readonly sealsPerBlock: number;
}

/** The resources that an object passes through, in this order. Those of a secondary are passed at six SPs. */
export const PRIMARY_PATH = ['linkIn', 'loop', 'store', 'disk'] as const;
/** After the acknowledgement: the primary reads, encodes and sends. */
export const SENDING_PATH = ['loop', 'linkOut'] as const;
export const SECONDARY_PATH = ['linkIn', 'loop', 'store', 'disk'] as const;

export const RESOURCES = ['linkIn', 'linkOut', 'loop', 'store', 'disk'] as const;
export type Resource = (typeof RESOURCES)[number];

/** The steps of an upload, each of which takes place at one SP. */
export const STEPS = ['receive', 'send', 'hold'] as const;
export type Step = (typeof STEPS)[number];

export const PATHS: Readonly<Record<Step, readonly Resource[]>> = {
  receive: PRIMARY_PATH,
  send: SENDING_PATH,
  hold: SECONDARY_PATH,
};

export const SECONDARIES = 6;
/** Size of a column relative to its object; below, that of all six. */
const COLUMN = 1 / 4;
/** Share of the primary's work on an object that precedes the acknowledgement. */
const BEFORE_ACK = 1 / 4;

/** Time for which one object, with all its segments, occupies a resource in a step; seconds. */
export function demand(setting: Setting, step: Step, resource: Resource): number {
  const { objectBytes: bytes, machine, costs } = setting;
  const spent = ({ perObject, perByte }: Cost) => perObject + perByte * bytes;
  const column = bytes * COLUMN;
  switch (`${step}/${resource}`) {
    case 'receive/linkIn':
      return bytes / machine.linkRate;
    case 'receive/loop':
      return (BEFORE_ACK * spent(costs.primary)) / machine.nodes;
    case 'receive/store':
      return spent(costs.storePrimary) / machine.storeCores;
    case 'receive/disk':
      return bytes / machine.diskRate;
    case 'send/loop':
      return ((1 - BEFORE_ACK) * spent(costs.primary)) / machine.nodes;
    case 'send/linkOut':
      return (SECONDARIES * column) / machine.linkRate;
    case 'hold/linkIn':
      return column / machine.linkRate;
    case 'hold/loop':
      return spent(costs.secondary) / machine.nodes;
    case 'hold/store':
      return spent(costs.storeSecondary) / machine.storeCores;
    case 'hold/disk':
      return column / machine.diskRate;
    default:
      return 0;
  }
}

export function segmentsOf({ objectBytes, segmentBytes }: Setting): number {
  return Math.max(1, Math.ceil(objectBytes / segmentBytes));
}
