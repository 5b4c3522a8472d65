import { Terminal } from '#protocols/errors';
import type { Hex, StorageProvider } from '#protocols/greenfield/types';
import type { LoadedKeys } from './keyring.ts';
import type { AccountKey, BlsKey, Keyring } from './keys.ts';

/**
 * The loaded keys, and in place of the others what is public of them. Whoever would sign with one of those gets the
 * error `key-absent`.
 * @param own the SP on chain
 */
export function withAbsentKeys(loaded: LoadedKeys, own: StorageProvider): Keyring {
  return {
    operator: absentAccountKey('operator', own.operatorAddress),
    approval: absentAccountKey('approval', own.approvalAddress),
    seal: absentAccountKey('seal', own.sealAddress),
    bls: absentBlsKey(own.blsKey),
    ...loaded,
  };
}

function absentAccountKey(name: keyof Keyring, address: string): AccountKey {
  return {
    address,
    get publicKey(): Hex {
      throw absent(name);
    },
    sign: () => Promise.reject(absent(name)),
  };
}

function absentBlsKey(publicKey: Hex): BlsKey {
  return { publicKey, sign: () => Promise.reject(absent('bls')) };
}

function absent(name: keyof Keyring): Terminal {
  return new Terminal({
    code: 'key-absent',
    message: `This node does not have the ${name} key, since its roles do not need it.`,
  });
}
