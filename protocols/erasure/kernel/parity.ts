// AssemblyScript, not TypeScript: compiled to WebAssembly by ../build.ts.

/** The polynomial 0x11d without its highest bit. */
const POLYNOMIAL: i8 = 0x1d;

/** Twice each byte in GF(2^8). */
function twice(x: v128): v128 {
  const overflows = i8x16.lt_s(x, i8x16.splat(0));
  return v128.xor(i8x16.add(x, x), v128.and(overflows, i8x16.splat(POLYNOMIAL)));
}

/** p + q, from s and t. */
function difference(s: v128, t: v128): v128 {
  const sum = v128.xor(s, t);
  return v128.xor(twice(v128.xor(twice(sum), sum)), s);
}

/** p, from a, a + c, t and p + q. */
function first(a: v128, ac: v128, t: v128, pq: v128): v128 {
  const y = v128.xor(v128.xor(pq, ac), v128.xor(t, twice(t)));
  return v128.xor(twice(v128.xor(twice(y), ac)), a);
}

/**
 * The parity of 4 + 2. With data a, b, c, d it is p = 27a + 28b + 18c + 20d and q = 28a + 27b + 20c + 18d. That takes
 * five doublings and no look-up: with s = a + b and t = c + d,
 *
 *     p + q = 7s + 6t = 2(2(s + t) + (s + t)) + s
 *     p = 4(p + q + 3t + a + c) + 2(a + c) + a
 *
 * @param input address of a; b, c and d follow at `stride`
 * @param output address of p; q follows at `stride`
 * @param stride bytes, at least `length` rounded up to 32
 * @param length bytes; whole vectors are written, up to the next multiple of 32
 */
export function parity4and2(input: usize, output: usize, stride: usize, length: usize): void {
  const end = input + length;
  let b = input + stride;
  let c = b + stride;
  let d = c + stride;
  let q = output + stride;
  for (let a = input; a < end; a += 32) {
    const a0 = v128.load(a);
    const c0 = v128.load(c);
    const s0 = v128.xor(a0, v128.load(b));
    const t0 = v128.xor(c0, v128.load(d));
    const pq0 = difference(s0, t0);
    const p0 = first(a0, v128.xor(a0, c0), t0, pq0);
    v128.store(output, p0);
    v128.store(q, v128.xor(p0, pq0));
    const a1 = v128.load(a, 16);
    const c1 = v128.load(c, 16);
    const s1 = v128.xor(a1, v128.load(b, 16));
    const t1 = v128.xor(c1, v128.load(d, 16));
    const pq1 = difference(s1, t1);
    const p1 = first(a1, v128.xor(a1, c1), t1, pq1);
    v128.store(output, p1, 16);
    v128.store(q, v128.xor(p1, pq1), 16);
    b += 32;
    c += 32;
    d += 32;
    output += 32;
    q += 32;
  }
}
