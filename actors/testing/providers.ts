import { createHash } from 'node:crypto';
import type { GlobalVirtualGroup, StorageProvider } from '#protocols/greenfield/types';
import { accountKey, blsKey } from '#runtime/keys/keyring';
import type { Keyring } from '#runtime/keys/keys';

/** The keys of a test's SP, the same in every test. */
export function keysOf(spId: number): Keyring {
  const secret = (purpose: string) => {
    const bytes = createHash('sha256').update(`${purpose} ${spId}`).digest();
    // Below the order of both curves.
    bytes[0] = 0;
    return Uint8Array.from(bytes);
  };
  return {
    operator: accountKey(secret('operator')),
    approval: accountKey(secret('approval')),
    seal: accountKey(secret('seal')),
    bls: blsKey(secret('bls')),
  };
}

/** An SP as the chain lists it. */
export function provider(spId: number): StorageProvider {
  const { operator, approval, seal, bls } = keysOf(spId);
  return {
    id: spId,
    operatorAddress: operator.address,
    fundingAddress: operator.address,
    sealAddress: seal.address,
    approvalAddress: approval.address,
    gcAddress: operator.address,
    maintenanceAddress: operator.address,
    status: 'IN_SERVICE',
    endpoint: `http://sp${spId}.test`,
    moniker: `sp${spId}`,
    blsKey: bls.publicKey,
  };
}

/** A group of family 1, whose primary is SP 1. */
export function group(id: number, secondarySpIds: readonly number[]): GlobalVirtualGroup {
  return { id, familyId: 1, primarySpId: 1, secondarySpIds, storedSize: 0, totalDeposit: 1n };
}
