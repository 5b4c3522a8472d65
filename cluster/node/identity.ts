import { Terminal } from '#protocols/errors';
import type { StorageProvider } from '#protocols/greenfield/types';
import type { LoadedKeys } from '#runtime/keys/keyring';
import type { Keyring } from '#runtime/keys/keys';

/**
 * Finds our own SP on chain and checks that the keys that this node has are those registered there: nothing signed with
 * another key would ever be accepted.
 * @param configured the operator address in the configuration, if given
 * @throws Terminal `unknown-sp`, `wrong-key` with every key that does not match
 */
export function ownProvider(
  providers: readonly StorageProvider[],
  keys: LoadedKeys,
  spId: number,
  configured?: string,
): StorageProvider {
  const own = providers.find(({ id }) => id === spId);
  if (!own) {
    throw new Terminal({
      code: 'unknown-sp',
      message: `The chain knows no storage provider ${spId}; it knows ${list(providers)}.`,
      advice: 'Correct sp.id, or point chain.rpc to the chain that the SP is registered on.',
    });
  }
  const faults = [
    configured !== undefined && configured !== own.operatorAddress && `sp.operatorAddress is ${configured}`,
    fault('operator', keys.operator?.address, own.operatorAddress),
    fault('approval', keys.approval?.address, own.approvalAddress),
    fault('seal', keys.seal?.address, own.sealAddress),
    fault('bls', keys.bls?.publicKey, own.blsKey),
  ].filter((found) => found !== false);
  if (faults.length === 0) return own;
  throw new Terminal({
    code: 'wrong-key',
    message: `The keys are not those of storage provider ${spId} (operator ${own.operatorAddress}): ${faults.join('; ')}.`,
    advice: 'Correct sp.id or the key files, or change the SP on chain (MsgEditStorageProvider).',
  });
}

function fault(name: keyof Keyring, ours: string | undefined, chains: string): string | false {
  if (ours === undefined || ours.toLowerCase() === chains.toLowerCase()) return false;
  return `the ${name} key belongs to ${ours}, the chain has ${chains || 'none'}`;
}

function list(providers: readonly StorageProvider[]): string {
  if (providers.length === 0) return 'none';
  const shown = providers.slice(0, 20).map(({ id }) => id);
  return `${shown.join(', ')}${providers.length > shown.length ? ', …' : ''}`;
}
