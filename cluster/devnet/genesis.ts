import { createHash, randomBytes } from 'node:crypto';
import { Terminal } from '#protocols/errors';
import { addressOf } from '#protocols/greenfield/address';
import { blsPublicKeyOf } from '#protocols/greenfield/bls';
import { fromHex, toHex } from '#protocols/greenfield/hex';
import { publicKeyOf } from '#protocols/greenfield/signature';
import type { Hex, StorageParams, StorageProvider } from '#protocols/greenfield/types';
import type { ChainGenesis, GenesisGvg } from './chain/genesis.ts';

export interface DevnetOptions {
  /** Storage providers, at least 7: a primary and six secondaries. */
  readonly sps?: number;
  /** URL of an SP for clients; its host needs a dot, or the SDKs refuse it. */
  readonly endpoint: (spId: number) => string;
  readonly chainId?: string;
  /** Equal seeds give equal keys; random by default. */
  readonly seed?: string;
  /** Funded accounts for clients. */
  readonly accounts?: number;
  /** Parameters that differ from the chain's defaults, for example smaller segments. */
  readonly storage?: Partial<StorageParams>;
  /** Bytes covered by the stake of each virtual group. */
  readonly stakedBytesPerGvg?: number;
}

/** The start of a devnet: the chain's genesis, and the private keys of its addresses. */
export interface DevnetGenesis {
  readonly chain: ChainGenesis;
  readonly sps: readonly SpKeys[];
  readonly accounts: readonly DevnetAccount[];
}

/** The private keys of one SP, 32 bytes each (protocols/greenfield/README.md#two-eras). */
export interface SpKeys {
  readonly id: number;
  readonly operator: Hex;
  readonly funding: Hex;
  readonly seal: Hex;
  readonly approval: Hex;
  readonly gc: Hex;
  readonly maintenance: Hex;
  readonly bls: Hex;
}

export interface DevnetAccount {
  /** EIP-55. */
  readonly address: string;
  readonly privateKey: Hex;
}

/** The chain's defaults (protocols/payload/README.md#segments-and-pieces). */
const STORAGE_PARAMS: StorageParams = {
  maxSegmentSize: 16 * 1024 ** 2,
  dataChunks: 4,
  parityChunks: 2,
  minChargeSize: 1024 ** 2,
  maxPayloadSize: 64 * 1024 ** 3,
};
/** Default of the chain's virtualgroup module. */
const STAKING_PER_BYTE = 16_000n;
/** A million BNB: enough for any fees. */
const BALANCE = (10n ** 24n).toString();
/** Number of groups per family if there are enough SPs. */
const GVGS_PER_FAMILY = 3;

/**
 * Builds the genesis of a devnet: every SP is the primary of one family. With 7 SPs a family has one group, the other
 * six in rotated order; with more it has several with different members, so that a family can do without one SP.
 * @throws Terminal `bad-devnet` for fewer SPs than an object needs
 */
export function buildGenesis(options: DevnetOptions): DevnetGenesis {
  const { sps: count = 7, accounts: accountCount = 3, chainId = 'greenfield_9000-1741' } = options;
  const storage = { ...STORAGE_PARAMS, ...options.storage };
  const secondaries = storage.dataChunks + storage.parityChunks;
  if (!Number.isInteger(count) || count < secondaries + 1) {
    throw new Terminal({
      code: 'bad-devnet',
      message: `A devnet of ${count} storage providers cannot store an object.`,
      advice: `Give it at least ${secondaries + 1}.`,
    });
  }
  const seed = options.seed ?? toHex(randomBytes(32));
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  const keys = ids.map((id) => spKeys(seed, id));
  const sps = keys.map((key) => storageProvider(key, options.endpoint(key.id)));
  const accounts = Array.from({ length: accountCount }, (_, i) => account(secret(seed, `account/${i + 1}`)));

  const totalDeposit = (BigInt(options.stakedBytesPerGvg ?? 1024 ** 4) * STAKING_PER_BYTE).toString();
  const gvgs: GenesisGvg[] = ids
    .flatMap((primarySpId) =>
      secondarySets(ids, primarySpId, secondaries).map((secondarySpIds) => ({ primarySpId, secondarySpIds })),
    )
    .map((group, i) => ({ id: i + 1, familyId: group.primarySpId, ...group, totalDeposit }));
  const families = ids.map((id) => ({
    id,
    primarySpId: id,
    gvgIds: gvgs.filter((gvg) => gvg.familyId === id).map((gvg) => gvg.id),
  }));

  const funded = [
    ...sps.flatMap((sp) => [
      sp.operatorAddress,
      sp.fundingAddress,
      sp.sealAddress,
      sp.gcAddress,
      sp.maintenanceAddress,
    ]),
    ...accounts.map(({ address }) => address),
  ];
  return {
    chain: {
      chainId,
      params: { storage, gvgStakingPerByte: STAKING_PER_BYTE.toString() },
      sps,
      families,
      gvgs,
      accounts: funded.map((address) => ({ address, balance: BALANCE })),
    },
    sps: keys,
    accounts,
  };
}

/** The secondaries of each group of a primary's family: windows over the ring of the other SPs. */
function secondarySets(ids: readonly number[], primary: number, secondaries: number): number[][] {
  const ring = ids.slice(1).map((_, i) => ids[(ids.indexOf(primary) + 1 + i) % ids.length] as number);
  const sets = ring.length === secondaries ? 1 : GVGS_PER_FAMILY;
  const step = Math.max(1, Math.floor(ring.length / sets));
  return Array.from({ length: sets }, (_, set) =>
    Array.from({ length: secondaries }, (_, i) => ring[(set * step + i) % ring.length] as number),
  );
}

function spKeys(seed: string, id: number): SpKeys {
  const key = (purpose: string) => secret(seed, `sp/${id}/${purpose}`);
  return {
    id,
    operator: key('operator'),
    funding: key('funding'),
    seal: key('seal'),
    approval: key('approval'),
    gc: key('gc'),
    maintenance: key('maintenance'),
    bls: key('bls'),
  };
}

function storageProvider(keys: SpKeys, endpoint: string): StorageProvider {
  return {
    id: keys.id,
    operatorAddress: account(keys.operator).address,
    fundingAddress: account(keys.funding).address,
    sealAddress: account(keys.seal).address,
    approvalAddress: account(keys.approval).address,
    gcAddress: account(keys.gc).address,
    maintenanceAddress: account(keys.maintenance).address,
    status: 'IN_SERVICE',
    endpoint,
    moniker: `sp${keys.id}`,
    blsKey: toHex(blsPublicKeyOf(fromHex(keys.bls))),
  };
}

function account(privateKey: Hex): DevnetAccount {
  return { address: addressOf(publicKeyOf(fromHex(privateKey))), privateKey };
}

/** 254 bits, so that it is below the order of both curves. */
function secret(seed: string, purpose: string): Hex {
  const bytes = createHash('sha256').update(`${seed}/${purpose}`).digest();
  bytes[0] = (bytes[0] as number) & 0x3f;
  return toHex(bytes);
}
