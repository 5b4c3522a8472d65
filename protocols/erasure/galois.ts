/** Arithmetic in GF(2^8) with the polynomial 0x11d and the generator 2 (protocols/erasure/README.md#the-code). Addition is XOR. */

const POLYNOMIAL = 0x11d;
const ORDER = 255;

/** EXP[i] = 2^i, twice over, so that a sum of two logarithms needs no modulo. */
const EXP = new Uint8Array(2 * ORDER);
const LOG = new Uint8Array(256);
for (let i = 0, x = 1; i < ORDER; i++) {
  EXP[i] = x;
  EXP[i + ORDER] = x;
  LOG[x] = i;
  x <<= 1;
  if (x & 0x100) x ^= POLYNOMIAL;
}

const log = (a: number) => LOG[a] as number;
const exp = (i: number) => EXP[i] as number;

export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : exp(log(a) + log(b));
}

/** The a⁻¹ with a · a⁻¹ = 1; `a` is not 0. */
export function inverse(a: number): number {
  return exp(ORDER - log(a));
}

/** a^n, with 0^0 = 1. */
export function power(a: number, n: number): number {
  if (n === 0) return 1;
  return a === 0 ? 0 : exp((log(a) * n) % ORDER);
}
