import test from 'ava';
import fc from 'fast-check';
import { inverse, multiply, power } from './galois.ts';

const element = fc.nat(255);

/** By definition: carry-less product, reduced bit by bit. */
function longMultiply(a: number, b: number): number {
  let product = 0;
  for (let bit = 0; bit < 8; bit++) if (b & (1 << bit)) product ^= a << bit;
  for (let bit = 14; bit >= 8; bit--) if (product & (1 << bit)) product ^= 0x11d << (bit - 8);
  return product;
}

test('products are those of polynomials modulo 0x11d', (t) => {
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) {
      if (multiply(a, b) !== longMultiply(a, b)) t.fail(`${a} · ${b}`);
    }
  }
  t.pass();
});

test('every element but 0 has an inverse', (t) => {
  for (let a = 1; a < 256; a++) t.is(multiply(a, inverse(a)), 1);
});

test('a power is a repeated product, and 0 to the 0 is 1', (t) => {
  t.is(power(0, 0), 1);
  fc.assert(
    fc.property(element, fc.integer({ min: 1, max: 600 }), (a, n) => {
      t.is(power(a, n), multiply(a, power(a, n - 1)));
    }),
  );
});
