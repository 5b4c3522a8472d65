import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Curve } from './curve.ts';

/**
 * The curve of Bitcoin Core's libsecp256k1, some twenty times as fast as JavaScript. The binary comes inside the package.
 * @throws Error where there is none for this machine
 */
export function loadNativeCurve(): Curve {
  // the package's own entry would hide a missing binary behind an implementation in JavaScript
  const library: typeof import('secp256k1') = createRequire(import.meta.url)('secp256k1/bindings.js');
  // blinds what a key's use could show through its timing
  library.contextRandomize(randomBytes(32));
  return {
    isPrivateKey: (bytes) => bytes.length === 32 && library.privateKeyVerify(bytes),
    publicKeyOf: (privateKey) => library.publicKeyCreate(privateKey, true),
    uncompressed(publicKey) {
      // the library also reads the hybrid form of OpenSSL, which nobody else does
      const [form] = publicKey;
      if (form !== 2 && form !== 3 && form !== 4)
        throw new Error(`A public key does not begin with ${form}.`);
      return library.publicKeyConvert(publicKey, false);
    },
    sign(digest, privateKey) {
      const signature = new Uint8Array(65);
      const { recid } = library.ecdsaSign(digest, privateKey, {}, signature.subarray(0, 64));
      signature[64] = recid;
      return signature;
    },
    recover: (digest, signature, v) => library.ecdsaRecover(signature, v, digest, false),
  };
}
