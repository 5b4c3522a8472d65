import { Terminal } from '#protocols/errors';
import { addressOf } from '#protocols/greenfield/address';
import { blsPublicKeyOf, blsSign } from '#protocols/greenfield/bls';
import { toHex } from '#protocols/greenfield/hex';
import { publicKeyOf, signDigest } from '#protocols/greenfield/signature';
import type { Hex } from '#protocols/greenfield/types';
import type { AccountKey, BlsKey, Keyring } from './keys.ts';
import { readSecret, type SecretSource } from './secret.ts';

/** Where each key of the SP is kept. */
export type KeySources = { readonly [name in keyof Keyring]: SecretSource };

const KEY_FORM = /^(?:0x)?[0-9a-fA-F]{64}$/;

/** A keyring of which some keys may be missing. */
export type LoadedKeys = Partial<Keyring>;

/**
 * Loads the keys of the SP that have a source, each 32 bytes as 64 hex digits with or without `0x`.
 * @throws Terminal as `readSecret`, `bad-key`
 */
export async function openKeyring(sources: KeySources, env?: NodeJS.ProcessEnv): Promise<Keyring>;
export async function openKeyring(sources: Partial<KeySources>, env?: NodeJS.ProcessEnv): Promise<LoadedKeys>;
export async function openKeyring(
  sources: Partial<KeySources>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<LoadedKeys> {
  const load = async <K>(name: keyof Keyring, build: (secret: Uint8Array) => K): Promise<K | undefined> => {
    const what = `${name} key`;
    const source = sources[name];
    return source && keyFrom(await readSecret(what, source, env), build, what, source);
  };
  const [operator, approval, seal, bls] = [
    await load('operator', accountKey),
    await load('approval', accountKey),
    await load('seal', accountKey),
    await load('bls', blsKey),
  ];
  return {
    ...(operator && { operator }),
    ...(approval && { approval }),
    ...(seal && { seal }),
    ...(bls && { bls }),
  };
}

/** A key held in memory. Private fields keep the secret out of logs, inspection and JSON. @throws Terminal */
export function accountKey(secret: Uint8Array): AccountKey {
  return new AccountKeyInMemory(secret);
}

/** As `accountKey`, for the BLS key. @throws Terminal */
export function blsKey(secret: Uint8Array): BlsKey {
  return new BlsKeyInMemory(secret);
}

class AccountKeyInMemory implements AccountKey {
  readonly address: string;
  readonly publicKey: Hex;
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    const publicKey = publicKeyOf(secret);
    this.address = addressOf(publicKey);
    this.publicKey = toHex(publicKey);
    this.#secret = secret;
  }

  async sign(digest: Uint8Array): Promise<Uint8Array> {
    return signDigest(digest, this.#secret);
  }
}

class BlsKeyInMemory implements BlsKey {
  readonly publicKey: Hex;
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.publicKey = toHex(blsPublicKeyOf(secret));
    this.#secret = secret;
  }

  async sign(message: Uint8Array): Promise<Uint8Array> {
    return blsSign(message, this.#secret);
  }
}

/** Neither the text nor what complained about it goes into the error: both may hold the key. */
function keyFrom<K>(text: string, build: (secret: Uint8Array) => K, what: string, source: SecretSource): K {
  const place = 'env' in source ? `the environment variable ${source.env}` : source.file;
  if (!KEY_FORM.test(text)) throw badKey(`${place} does not hold a valid ${what}.`);
  try {
    return build(Buffer.from(text.replace(/^0x/, ''), 'hex'));
  } catch {
    throw badKey(`The number in ${place} is not a valid ${what}.`);
  }
}

function badKey(message: string): Terminal {
  return new Terminal({
    code: 'bad-key',
    message,
    advice: 'A key is 32 bytes, written as 64 hex digits, with or without 0x.',
  });
}
