import { execFileSync } from 'node:child_process';
import test from 'ava';
import fc from 'fast-check';
import { curveContract } from './curve.contract.ts';
import type { Curve } from './curve.ts';
import { loadNativeCurve } from './native.ts';
import { nobleCurve } from './noble.ts';
import { curve, fallbackCause } from './secp256k1.ts';

/** Undefined on a machine for which the package brings no binary. */
const native = fallbackCause === undefined ? loadNativeCurve() : undefined;
const ifNative = native ? test : test.skip;
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
/** Of 2^128 digests one is not below the order; there, and only there, nonces of the two differ. */
const digests = bytes(32).filter((digest) => digest.subarray(0, 16).some((byte) => byte !== 0xff));

curveContract('noble', nobleCurve);
if (native) curveContract('native', native);

test('the native curve is used on machines for which the package brings a binary', (t) => {
  const brought = ['linux-x64', 'darwin-arm64', 'win32-x64'].includes(`${process.platform}-${process.arch}`);
  t.is(fallbackCause === undefined, brought, String(fallbackCause));
  t.is(curve === nobleCurve, !brought);
});

test('without the native library noble is used, and the reason is available', (t) => {
  const module = JSON.stringify(new URL('./secp256k1.js', import.meta.url));
  const script = `import { curve, fallbackCause } from ${module};
    process.stdout.write(JSON.stringify([curve.publicKeyOf(new Uint8Array(32).fill(17))[0], fallbackCause.message]));`;
  // what the loader of the binary takes for the machine's architecture
  const env = { ...process.env, npm_config_arch: 'pdp11' };
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    env,
    encoding: 'utf8',
  });
  const [firstByte, reason] = JSON.parse(out);
  t.is(firstByte, 3);
  t.regex(reason, /pdp11/);
});

ifNative('both sign the same bytes and recover the same keys', (t) => {
  fc.assert(
    fc.property(digests, bytes(32), (digest, key) => {
      if (!both((c) => c.isPrivateKey(key))) return;
      both((c) => c.publicKeyOf(key));
      const signature = both((c) => c.sign(digest, key)) as Uint8Array;
      both((c) => c.recover(digest, signature.subarray(0, 64), signature[64] as 0 | 1));
      both((c) => c.recover(digest, signature.subarray(0, 64), signature[64] === 0 ? 1 : 0));
    }),
    { numRuns: 50 },
  );
  t.pass();
});

ifNative('both make the same of any bytes', (t) => {
  fc.assert(
    fc.property(bytes(32), bytes(64), fc.constantFrom(0 as const, 1 as const), (digest, signature, v) => {
      both((c) => c.recover(digest, signature, v));
      both((c) => c.isPrivateKey(signature.subarray(0, 32)));
      both((c) => c.uncompressed(Uint8Array.of(2 + v, ...digest)));
      both((c) => c.uncompressed(Uint8Array.of(4, ...signature)));
    }),
    { numRuns: 100 },
  );
  t.pass();
});

/** What both give, or both refuse: then undefined. */
function both<R>(act: (curve: Curve) => R): R | undefined {
  const [ours, oracle] = [native as Curve, nobleCurve].map((c) => {
    try {
      return act(c);
    } catch {
      return undefined;
    }
  });
  if (JSON.stringify(ours) === JSON.stringify(oracle)) return ours;
  throw new Error(`native gives ${JSON.stringify(ours)}, noble ${JSON.stringify(oracle)}`);
}
