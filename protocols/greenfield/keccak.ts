import { createRequire } from 'node:module';

// the file of this one algorithm loads in a tenth of the time that the whole library takes
const { createKeccak }: Pick<typeof import('hash-wasm'), 'createKeccak'> = createRequire(import.meta.url)(
  'hash-wasm/dist/keccak.umd.min.js',
);
const hasher = await createKeccak(256);

/** Ethereum's hash: 32 bytes over bytes, or over the UTF-8 of a text. */
export function keccak256(data: Uint8Array | string): Uint8Array {
  return hasher.init().update(data).digest('binary');
}
