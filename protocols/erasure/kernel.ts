import * as galois from './galois.ts';
import { KERNEL_MEMORY_BYTES, KERNEL_WASM } from './kernel.generated.ts';
import type { Matrix } from './matrix.ts';

/** What kernel/ exports. */
interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer };
  parity4and2(input: number, output: number, stride: number, length: number): void;
  multiply(
    matrix: number,
    rows: number,
    columns: number,
    input: number,
    output: number,
    stride: number,
    length: number,
  ): void;
}

/** The part of the WebAssembly API that is used here; TypeScript knows it only as part of the browser's library. */
declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Kernel };
};

// One instance serves all: it is never entered twice, and its memory neither grows nor keeps anything.
const kernel = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(KERNEL_WASM, 'base64'))).exports;
const memory = new Uint8Array(kernel.memory.buffer);

const NIBBLES = 16;
const VECTOR_BYTES = 32;
/** Layout of the memory: products of all constants, the matrix, then blocks of the shards. */
const MATRIX = 256 * 2 * NIBBLES;
const BLOCKS = MATRIX + 128 * 128;
/** The parity rows of 4 + 2, for which the kernel has a function that is twice as fast. */
const PARITY_4_AND_2: Matrix = [Uint8Array.of(27, 28, 18, 20), Uint8Array.of(28, 27, 20, 18)];

for (let constant = 0; constant < 256; constant++) {
  for (let nibble = 0; nibble < NIBBLES; nibble++) {
    const at = constant * 2 * NIBBLES + nibble;
    memory[at] = galois.multiply(constant, nibble);
    memory[at + NIBBLES] = galois.multiply(constant, nibble << 4);
  }
}

/**
 * Multiplies a matrix over GF(2^8) with columns of bytes: outputs[r][j] = sum over c of matrix[r][c] · inputs[c][j].
 * All inputs and outputs have one length, and together they are at most 256. The bytes pass through in blocks, so
 * no more memory is used however long they are.
 */
export function multiply(
  matrix: Matrix,
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
): void {
  const total = inputs[0]?.length ?? 0;
  if (total === 0 || outputs.length === 0) return;
  const columns = inputs.length;
  const rows = outputs.length;
  const special = isEqual(matrix, PARITY_4_AND_2);
  for (const [i, row] of matrix.entries()) memory.set(row, MATRIX + i * columns);

  const room = Math.floor((KERNEL_MEMORY_BYTES - BLOCKS) / (columns + rows));
  const stride = room - (room % VECTOR_BYTES);
  const results = BLOCKS + columns * stride;
  for (let at = 0; at < total; at += stride) {
    const length = Math.min(stride, total - at);
    for (const [i, input] of inputs.entries()) {
      memory.set(input.subarray(at, at + length), BLOCKS + i * stride);
    }
    if (special) kernel.parity4and2(BLOCKS, results, stride, length);
    else kernel.multiply(MATRIX, rows, columns, BLOCKS, results, stride, length);
    for (const [i, output] of outputs.entries()) {
      const result = results + i * stride;
      output.set(memory.subarray(result, result + length), at);
    }
  }
}

function isEqual(a: Matrix, b: Matrix): boolean {
  return a.length === b.length && a.every((row, i) => Buffer.compare(row, b[i] as Uint8Array) === 0);
}
