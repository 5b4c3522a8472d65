import { inverse, multiply, power } from './galois.ts';

/** Rows of elements of GF(2^8). */
export type Matrix = readonly Uint8Array[];

/** The field has 256 elements, so a Vandermonde matrix has no more different rows. */
export const MAX_SHARDS = 256;

/** At least one data shard, none or more parity shards, and no more than the field allows. */
export function validShardCounts(dataShards: number, parityShards: number): boolean {
  return (
    Number.isInteger(dataShards) &&
    Number.isInteger(parityShards) &&
    dataShards >= 1 &&
    parityShards >= 0 &&
    dataShards + parityShards <= MAX_SHARDS
  );
}

/**
 * The matrix that makes all shards of the data shards (protocols/erasure/README.md#the-code): a Vandermonde matrix times the inverse
 * of its own top square, so that the data rows are the identity and any `dataShards` rows can be inverted.
 */
export function encodingMatrix(dataShards: number, parityShards: number): Matrix {
  const vandermonde = Array.from({ length: dataShards + parityShards }, (_, row) =>
    Uint8Array.from({ length: dataShards }, (_, column) => power(row, column)),
  );
  return product(vandermonde, inverted(vandermonde.slice(0, dataShards)));
}

export function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => {
    const sum = new Uint8Array(b[0]?.length ?? 0);
    row.forEach((factor, i) => {
      addScaled(sum, b[i] as Uint8Array, factor);
    });
    return sum;
  });
}

/** Inverse of a square matrix that has one, by Gauss-Jordan elimination beside the identity. */
export function inverted(square: Matrix): Matrix {
  const size = square.length;
  const rows = square.map((row, i) => {
    const augmented = new Uint8Array(2 * size);
    augmented.set(row);
    augmented[size + i] = 1;
    return augmented;
  });
  for (let column = 0; column < size; column++) {
    const pivot = rows.findIndex((row, i) => i >= column && row[column] !== 0);
    if (pivot < 0) throw new RangeError('The matrix is singular.');
    const scale = inverse(rows[pivot]?.[column] as number);
    const unit = (rows[pivot] as Uint8Array).map((value) => multiply(value, scale));
    rows[pivot] = rows[column] as (typeof rows)[number];
    rows[column] = unit;
    rows.forEach((row, i) => {
      if (i !== column) addScaled(row, unit, row[column] as number);
    });
  }
  return rows.map((row) => row.slice(size));
}

/** target += factor · row; subtraction is the same. */
function addScaled(target: Uint8Array, row: Uint8Array, factor: number): void {
  if (factor === 0) return;
  for (let i = 0; i < target.length; i++) {
    target[i] = (target[i] as number) ^ multiply(row[i] as number, factor);
  }
}
