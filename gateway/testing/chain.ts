import { addressOf } from '#protocols/greenfield/address';
import { publicKeyOf } from '#protocols/greenfield/signature';
import type {
  Account,
  ActionType,
  BucketInfo,
  GlobalVirtualGroup,
  GlobalVirtualGroupFamily,
  ObjectInfo,
  ObjectOnChain,
  StorageParams,
  StorageProvider,
} from '#protocols/greenfield/types';
import type { Chain, LatestBlock } from '#runtime/chain/chain';

export const SP_ID = 1;

/** An account that signs requests. */
export interface Signer {
  readonly address: string;
  readonly key: Uint8Array;
}

export function signer(fill: number): Signer {
  const key = new Uint8Array(32).fill(fill);
  return { key, address: addressOf(publicKeyOf(key)) };
}

/** Private key of our provider's approval account. */
export const APPROVAL_SECRET = signer(0x44).key;
export const OWNER = signer(0x11);
export const STRANGER = signer(0x22);
export const MAINTAINER = signer(0x33);
/** A chain of plain data that tests may change. It begins with bucket `photos` and the object `a.jpg` of 10 bytes. */
export class TestChain implements Chain {
  readonly chainId = 'greenfield_9000-1741';
  providers: StorageProvider[] = [provider({})];
  buckets: BucketInfo[] = [bucket({})];
  objects: ObjectOnChain[] = [{ object: object({}) }];
  knownFamilies: GlobalVirtualGroupFamily[] = [{ id: 7, primarySpId: SP_ID, gvgIds: [] }];
  groups: GlobalVirtualGroup[] = [];
  /** Free bytes by group; plenty in a group that is not listed. */
  readonly free = new Map<number, number>();
  params: StorageParams = {
    maxSegmentSize: 4,
    dataChunks: 4,
    parityChunks: 2,
    minChargeSize: 1,
    maxPayloadSize: 1e9,
  };
  /** The times for which parameters were queried. */
  readonly paramsAskedAt: (number | undefined)[] = [];
  /** Unix ms of the latest block; no request is later by default. */
  blockTime = Date.now() + 3_600_000;
  /** Number of queries for the latest block. */
  blocksAsked = 0;
  /** `address action` of everyone who is allowed. */
  readonly allowed = new Set<string>();

  allow(account: Signer, action: ActionType): this {
    this.allowed.add(`${account.address} ${action}`);
    return this;
  }

  async storageParams(at?: number): Promise<StorageParams> {
    this.paramsAskedAt.push(at);
    return this.params;
  }

  async latestBlock(): Promise<LatestBlock> {
    this.blocksAsked += 1;
    return { height: 7, time: this.blockTime };
  }

  async bucket(name: string): Promise<BucketInfo | undefined> {
    return this.buckets.find(({ bucketName }) => bucketName === name);
  }

  async object(bucketName: string, objectName: string): Promise<ObjectOnChain | undefined> {
    return this.objects.find(
      ({ object }) => object.bucketName === bucketName && object.objectName === objectName,
    );
  }

  async storageProviders(): Promise<readonly StorageProvider[]> {
    return this.providers;
  }

  async family(id: number): Promise<GlobalVirtualGroupFamily | undefined> {
    return this.knownFamilies.find((family) => family.id === id);
  }

  async families(): Promise<readonly GlobalVirtualGroupFamily[]> {
    return this.knownFamilies;
  }

  async gvgsOfFamily(familyId: number): Promise<readonly GlobalVirtualGroup[]> {
    return this.groups.filter((group) => group.familyId === familyId);
  }

  async freeCapacity({ id }: GlobalVirtualGroup): Promise<number> {
    return this.free.get(id) ?? 1e12;
  }

  async isAllowed(account: string, _bucket: string, _object: string, action: ActionType): Promise<boolean> {
    return this.allowed.has(`${account} ${action}`);
  }

  /** Accounts that are on the chain. */
  accounts: readonly string[] = [OWNER, STRANGER, MAINTAINER].map(({ address }) => address);

  async account(address: string): Promise<Account | undefined> {
    return this.accounts.includes(address) ? { address, accountNumber: 1, sequence: 0 } : undefined;
  }

  objectById = unused;
  gvg = unused;
  simulate = unused;
  messageGas = unused;
  broadcast = unused;
  transaction = unused;
  close(): void {}
}

async function unused(): Promise<never> {
  throw new Error('the gateway does not ask for this');
}

export function provider(over: Partial<StorageProvider>): StorageProvider {
  return {
    id: SP_ID,
    operatorAddress: signer(0x41).address,
    fundingAddress: signer(0x42).address,
    sealAddress: signer(0x43).address,
    approvalAddress: signer(0x44).address,
    gcAddress: signer(0x45).address,
    maintenanceAddress: MAINTAINER.address,
    status: 'IN_SERVICE',
    endpoint: 'http://sp1.localhost',
    moniker: 'sp1',
    blsKey: '',
    ...over,
  };
}

export function bucket(over: Partial<BucketInfo>): BucketInfo {
  return {
    owner: OWNER.address,
    bucketName: 'photos',
    visibility: 'PRIVATE',
    id: '1',
    createdAt: 1000,
    paymentAddress: OWNER.address,
    familyId: 7,
    chargedReadQuota: 0,
    status: 'CREATED',
    delegatedAgentDisabled: false,
    ...over,
  };
}

export function object(over: Partial<ObjectInfo>): ObjectInfo {
  return {
    owner: OWNER.address,
    creator: OWNER.address,
    bucketName: 'photos',
    objectName: 'a.jpg',
    id: '4711',
    localVirtualGroupId: 0,
    payloadSize: 10,
    visibility: 'INHERIT',
    contentType: 'image/jpeg',
    createdAt: 2000,
    status: 'CREATED',
    redundancy: 'EC',
    checksums: ['00', '11', '22', '33', '44', '55', '66'],
    isUpdating: false,
    updatedAt: 0,
    updatedBy: OWNER.address,
    version: 0,
    ...over,
  };
}
