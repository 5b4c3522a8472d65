import { secp256k1 } from '@noble/curves/secp256k1.js';
import type { Curve } from './curve.ts';

/** The curve in JavaScript, which runs everywhere. */
export const nobleCurve: Curve = {
  isPrivateKey: (bytes) => secp256k1.utils.isValidSecretKey(bytes),
  publicKeyOf: (privateKey) => secp256k1.getPublicKey(privateKey, true),
  uncompressed: (publicKey) => secp256k1.Point.fromBytes(publicKey).toBytes(false),
  sign(digest, privateKey) {
    // the library puts v before r and s, Ethereum after them
    const recovered = secp256k1.sign(digest, privateKey, { prehash: false, format: 'recovered' });
    const signature = new Uint8Array(65);
    signature.set(recovered.subarray(1));
    signature[64] = recovered[0] as number;
    return signature;
  },
  recover: (digest, signature, v) =>
    secp256k1.Signature.fromBytes(signature, 'compact')
      .addRecoveryBit(v)
      .recoverPublicKey(digest)
      .toBytes(false),
};
