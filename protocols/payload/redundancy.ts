import { ReedSolomon } from '../erasure/reed-solomon.ts';
import { Terminal } from '../errors.ts';
import type { Redundancy } from '../greenfield/types.ts';
import type { PayloadShape } from './plan.ts';

/** `RedundancyType` of today's wire (protocols/payload/README.md#segments-and-pieces); before chain v0.1.0 the two were swapped. */
export const REDUNDANCY_NUMBER = { EC: 0, REPLICA: 1 } as const satisfies Record<Redundancy, number>;

const BY_WIRE: Readonly<Record<string, Redundancy | 'INLINE'>> = {
  0: 'EC',
  REDUNDANCY_EC_TYPE: 'EC',
  1: 'REPLICA',
  REDUNDANCY_REPLICA_TYPE: 'REPLICA',
  2: 'INLINE',
  REDUNDANCY_INLINE_TYPE: 'INLINE',
};

/**
 * The redundancy that a number (protobuf) or a name (JSON) of the wire stands for.
 * @throws Terminal `inline-redundancy`, which early documents know and no chain has; Terminal `bad-redundancy`
 */
export function redundancyFromWire(wire: number | string): Redundancy {
  const redundancy = Object.hasOwn(BY_WIRE, wire) ? BY_WIRE[wire] : undefined;
  if (redundancy === 'INLINE') {
    throw new Terminal({
      code: 'inline-redundancy',
      message: 'Redundancy INLINE is known but not supported: no chain stores payloads inline.',
      advice: 'Create the object with REDUNDANCY_EC_TYPE or REDUNDANCY_REPLICA_TYPE.',
    });
  }
  if (!redundancy) {
    throw new Terminal({ code: 'bad-redundancy', message: `"${wire}" is not a redundancy type.` });
  }
  return redundancy;
}

/**
 * The code that makes the secondaries' pieces of a segment: shard i belongs to column i and is stored under
 * `+p${i}`; a column is its pieces of all segments, in order. With EC each secondary holds one shard of every
 * segment. With REPLICA each holds every segment whole, which is the code of a single data shard.
 * @throws Terminal `bad-shard-counts`
 */
export function redundancyCode(
  shape: Pick<PayloadShape, 'redundancy' | 'dataChunks' | 'parityChunks'>,
): ReedSolomon {
  const { redundancy, dataChunks, parityChunks } = shape;
  return redundancy === 'EC'
    ? new ReedSolomon(dataChunks, parityChunks)
    : new ReedSolomon(1, dataChunks + parityChunks - 1);
}
