/**
 * ECDSA over secp256k1, as accounts sign; `signature.ts` is what everybody uses. Digests have 32 bytes, which the
 * caller has checked. Both adapters give the same bytes and refuse the same input; `secp256k1.ts` chooses one.
 */
export interface Curve {
  /** True for 32 bytes of a number from 1 to below the order. */
  isPrivateKey(bytes: Uint8Array): boolean;
  /** 33 bytes, compressed. @throws Error when the private key is not one */
  publicKeyOf(privateKey: Uint8Array): Uint8Array;
  /** The public key in 33 (compressed) or 65 bytes as 65. @throws Error when it is not a point on the curve in either form */
  uncompressed(publicKey: Uint8Array): Uint8Array;
  /**
   * r‖s‖v: v 0 or 1, low s, the nonce by RFC 6979.
   * @throws Error when the private key is not one
   */
  sign(digest: Uint8Array, privateKey: Uint8Array): Uint8Array;
  /**
   * The public key (65 bytes, uncompressed) that a signature of 64 bytes r‖s recovers to; s may be high, as for the
   * storage providers of today.
   * @throws Error when r or s is zero or not below the order, or there is no such point
   */
  recover(digest: Uint8Array, signature: Uint8Array, v: 0 | 1): Uint8Array;
}
