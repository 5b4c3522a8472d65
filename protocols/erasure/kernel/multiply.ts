// AssemblyScript, not TypeScript: compiled to WebAssembly by ../build.ts.

/**
 * Multiplies a matrix over GF(2^8) with columns of bytes: output[r][j] = sum over c of matrix[r][c] * input[c][j].
 *
 * A product of a constant and a byte is the sum of its products with the byte's two halves, and `swizzle` looks
 * up sixteen of them at once. Address 0 holds, for each of the 256 constants, its products with 0…15 and then
 * those with 0, 16, …, 240. Rows are taken in pairs, so that each input is loaded and halved once for two.
 *
 * @param matrix address of rows * columns bytes
 * @param input address of the first column; the others follow at `stride`
 * @param output address of the first result; the others follow at `stride`
 * @param stride bytes, at least `length` rounded up to 32
 * @param length bytes; whole vectors are written, up to the next multiple of 32
 */
export function multiply(
  matrix: usize,
  rows: usize,
  columns: usize,
  input: usize,
  output: usize,
  stride: usize,
  length: usize,
): void {
  const low = i8x16.splat(15);
  for (let row: usize = 0; row < rows; row += 2) {
    // An odd last row is its own partner: the same bytes are written twice.
    const paired = row + 1 < rows;
    const first = matrix + row * columns;
    const second = paired ? first + columns : first;
    const firstOut = output + row * stride;
    const secondOut = paired ? firstOut + stride : firstOut;

    for (let at: usize = 0; at < length; at += 32) {
      let a0 = i8x16.splat(0);
      let a1 = i8x16.splat(0);
      let b0 = i8x16.splat(0);
      let b1 = i8x16.splat(0);
      let source = input + at;
      for (let column: usize = 0; column < columns; column++) {
        const a = (<usize>load<u8>(first + column)) << 5;
        const b = (<usize>load<u8>(second + column)) << 5;
        const aLow = v128.load(a);
        const aHigh = v128.load(a, 16);
        const bLow = v128.load(b);
        const bHigh = v128.load(b, 16);
        const v0 = v128.load(source);
        const v1 = v128.load(source, 16);
        const low0 = v128.and(v0, low);
        const low1 = v128.and(v1, low);
        const high0 = i8x16.shr_u(v0, 4);
        const high1 = i8x16.shr_u(v1, 4);
        a0 = v128.xor(a0, v128.xor(i8x16.swizzle(aLow, low0), i8x16.swizzle(aHigh, high0)));
        a1 = v128.xor(a1, v128.xor(i8x16.swizzle(aLow, low1), i8x16.swizzle(aHigh, high1)));
        b0 = v128.xor(b0, v128.xor(i8x16.swizzle(bLow, low0), i8x16.swizzle(bHigh, high0)));
        b1 = v128.xor(b1, v128.xor(i8x16.swizzle(bLow, low1), i8x16.swizzle(bHigh, high1)));
        source += stride;
      }
      v128.store(firstOut + at, a0);
      v128.store(firstOut + at, a1, 16);
      v128.store(secondOut + at, b0);
      v128.store(secondOut + at, b1, 16);
    }
  }
}
