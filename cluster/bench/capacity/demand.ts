/** What objects cost, as the bench measures it. Seconds of one core. */
export interface Costs {
  /** Of the node that is the primary: of its event loop. */
  readonly primary: Cost;
  /** Of each node that is a secondary, by the bytes of the whole object. */
  readonly secondary: Cost;
  /** Of the nats-server of the primary, and of each secondary. */
  readonly storePrimary: Cost;
  readonly storeSecondary: Cost;
}

export interface Cost {
  readonly perObject: number;
  readonly perByte: number;
}

/** A network of equal storage providers, and what clients bring. */
export interface Setting {
  readonly sps: number;
  /** Objects a second in the whole network; each SP is the primary of its share. */
  readonly objectsPerSecond: number;
  /** Bytes of each object, and of a segment at most. */
  readonly objectBytes: number;
  readonly segmentBytes: number;
  readonly machine: Machine;
  readonly chain: ChainRate;
  readonly costs: Costs;
}

/** What one SP has. */
export interface Machine {
  /** Node processes that share the work; each has one event loop. */
  readonly nodes: number;
  /** Cores that nats-server may use. */
  readonly storeCores: number;
  /** Bytes a second in each direction. */
  readonly linkRate: number;
  /** Bytes a second that all disks write together. */
  readonly diskRate: number;
}

export interface ChainRate {
  readonly blockSeconds: number;
  /** Seals that fit into a block beside everything else. */
  readonly sealsPerBlock: number;
}

/** What an object passes, in this order; those of a secondary six times, at six SPs. */
export const PRIMARY_PATH = ['linkIn', 'loop', 'store', 'disk'] as const;
/** From the acknowledgement on: the primary reads, encodes and sends. */
export const SENDING_PATH = ['loop', 'linkOut'] as const;
export const SECONDARY_PATH = ['linkIn', 'loop', 'store', 'disk'] as const;

export const RESOURCES = ['linkIn', 'linkOut', 'loop', 'store', 'disk'] as const;
export type Resource = (typeof RESOURCES)[number];

/** The parts of an object's way that one SP does in one go. */
export const STEPS = ['receive', 'send', 'hold'] as const;
export type Step = (typeof STEPS)[number];

export const PATHS: Readonly<Record<Step, readonly Resource[]>> = {
  receive: PRIMARY_PATH,
  send: SENDING_PATH,
  hold: SECONDARY_PATH,
};

export const SECONDARIES = 6;
/** Bytes of a column to those of its object, and of all six. */
const COLUMN = 1 / 4;
/** Of the primary's work on an object, what is done before its acknowledgement. */
const BEFORE_ACK = 1 / 4;

/** Seconds for which one object occupies a resource in a step: all of its segments. */
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
