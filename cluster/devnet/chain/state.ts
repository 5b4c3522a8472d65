import { toHex } from '#protocols/greenfield/hex';
import { keccak256 } from '#protocols/greenfield/keccak';
import { MESSAGE_TYPES, type MessageTypeUrl } from '#protocols/greenfield/messages';
import type {
  BucketInfo,
  GlobalVirtualGroup,
  GlobalVirtualGroupFamily,
  ObjectInfo,
  PendingUpdate,
  StorageProvider,
} from '#protocols/greenfield/types';
import { Access, AccessReader } from './access/access-state.ts';
import type { ChainGenesis, GenesisParams } from './genesis.ts';
import type { AccountRecord, Head, LocalVirtualGroup, PaymentAccount, StreamRecord } from './records.ts';
import { Errors, Refusal } from './refusal.ts';
import { Overlay, type Reader } from './store.ts';

/** Which keys hold what; raised when that changes. */
export const STATE_FORMAT = 2;

/** Digits of an id in a key, so that keys are in the order of numbers. */
const ID_DIGITS = 78;

/** Fields of a stream record that JSON cannot hold as numbers. */
const AMOUNTS = [
  'netflowRate',
  'frozenNetflowRate',
  'staticBalance',
  'bufferBalance',
  'lockBalance',
] as const satisfies readonly (keyof StreamRecord)[];

/** The chain's state as its modules name it, read from a committed block or a layer of changes. */
export class StateReader {
  protected readonly reader: Reader;

  constructor(reader: Reader) {
    this.reader = reader;
  }

  get chainId(): string {
    return this.reader.get<string>('chain-id') ?? '';
  }

  get head(): Head {
    return this.reader.get<Head>('head') ?? { height: 0, time: 0, hash: '' };
  }

  get params(): GenesisParams {
    return this.reader.get<GenesisParams>('params') as GenesisParams;
  }

  /** Fixed gas of a message, as governance has set it. */
  messageGas(typeUrl: MessageTypeUrl): number {
    return this.reader.get<number>(`gas/${typeUrl}`) ?? MESSAGE_TYPES[typeUrl].gas;
  }

  /** Groups, policies and tags. */
  get access(): AccessReader {
    return new AccessReader(this.reader);
  }

  get sps(): readonly StorageProvider[] {
    return this.reader.get<readonly StorageProvider[]>('sps') ?? [];
  }

  get families(): readonly GlobalVirtualGroupFamily[] {
    return this.reader.get<readonly GlobalVirtualGroupFamily[]>('families') ?? [];
  }

  account(address: string): AccountRecord | undefined {
    return this.reader.get(`account/${address}`);
  }

  streamRecord(account: string): StreamRecord | undefined {
    const found = this.reader.get<Readonly<Record<string, unknown>>>(`stream/${account}`);
    const amounts = AMOUNTS.map((name) => [name, BigInt((found?.[name] as string | undefined) ?? 0)]);
    return found && ({ ...found, ...Object.fromEntries(amounts) } as unknown as StreamRecord);
  }

  paymentAccount(address: string): PaymentAccount | undefined {
    return this.reader.get(`payment-account/${address}`);
  }

  /** Addresses of an owner's payment accounts, oldest first. */
  paymentAccountsOf(owner: string): readonly string[] {
    return this.reader.get<readonly string[]>(`payment-accounts/${owner}`) ?? [];
  }

  /** Objects and updates of a bucket for which a fee is locked. */
  lockedCount(bucketId: string): number {
    return this.reader.get<number>(`locked-count/${bucketId}`) ?? 0;
  }

  family(id: number): GlobalVirtualGroupFamily | undefined {
    return this.families.find((family) => family.id === id);
  }

  gvg(id: number): GlobalVirtualGroup | undefined {
    const gvg = this.reader.get<GlobalVirtualGroup & { totalDeposit: string }>(`gvg/${id}`);
    return gvg && { ...gvg, totalDeposit: BigInt(gvg.totalDeposit) };
  }

  gvgsOf(family: GlobalVirtualGroupFamily): readonly GlobalVirtualGroup[] {
    return family.gvgIds.flatMap((id) => this.gvg(id) ?? []);
  }

  bucket(name: string): BucketInfo | undefined {
    return this.reader.get(`bucket/${name}`);
  }

  bucketById(id: string): BucketInfo | undefined {
    const name = this.reader.get<string>(bucketNameKey(id));
    return name === undefined ? undefined : this.bucket(name);
  }

  localGroups(bucketId: string): readonly LocalVirtualGroup[] {
    return this.reader.get<readonly LocalVirtualGroup[]>(`local-groups/${bucketId}`) ?? [];
  }

  /** Objects that have a name in the bucket, sealed or not. */
  objectCount(bucketName: string): number {
    return this.reader.get<number>(objectCountKey(bucketName)) ?? 0;
  }

  object(bucketName: string, objectName: string): ObjectInfo | undefined {
    const id = this.reader.get<string>(objectKey(bucketName, objectName));
    return id === undefined ? undefined : this.objectById(id);
  }

  objectById(id: string): ObjectInfo | undefined {
    return this.reader.get(`object/${id}`);
  }

  pendingUpdate(objectId: string): PendingUpdate | undefined {
    return this.reader.get(`update/${objectId}`);
  }

  /** Height at which an SP began its last maintenance. */
  maintenanceBegan(spId: number): number | undefined {
    return this.reader.get(`maintenance/${spId}`);
  }

  /** Unix seconds at which a bucket's read quota was last changed. */
  quotaTime(bucketId: string): number | undefined {
    return this.reader.get(`quota-time/${bucketId}`);
  }

  /** The group that holds a sealed object. */
  gvgOf(object: ObjectInfo): GlobalVirtualGroup | undefined {
    const bucket = this.bucket(object.bucketName);
    const local = bucket && this.localGroups(bucket.id).find(({ id }) => id === object.localVirtualGroupId);
    return local && this.gvg(local.gvgId);
  }

  /** The SP that serves a bucket. @throws Refusal when the bucket's family is gone */
  primarySpOf(bucket: BucketInfo): StorageProvider {
    const family = this.family(bucket.familyId);
    const sp = family && this.sps.find(({ id }) => id === family.primarySpId);
    if (!sp) throw new Refusal(Errors.NO_SUCH_FAMILY);
    return sp;
  }
}

/** The state with a layer of changes on it. */
export class State extends StateReader {
  readonly overlay: Overlay;

  constructor(below: Reader) {
    const overlay = new Overlay(below);
    super(overlay);
    this.overlay = overlay;
  }

  putAccount(account: AccountRecord): void {
    this.overlay.put(`account/${account.address}`, account);
  }

  override get access(): Access {
    return new Access(this.overlay);
  }

  putSp(sp: StorageProvider): void {
    this.overlay.put(
      'sps',
      this.sps.map((one) => (one.id === sp.id ? sp : one)),
    );
  }

  /** Notes when an SP began its last maintenance. */
  putMaintenance(spId: number, height: number): void {
    this.overlay.put(`maintenance/${spId}`, height);
  }

  putQuotaTime(bucketId: string, time: number): void {
    this.overlay.put(`quota-time/${bucketId}`, time);
  }

  putMessageGas(typeUrl: MessageTypeUrl, gas: number): void {
    this.overlay.put(`gas/${typeUrl}`, gas);
  }

  putHead(head: Head): void {
    this.overlay.put('head', head);
  }

  putStreamRecord(record: StreamRecord): void {
    const amounts = AMOUNTS.map((name) => [name, record[name].toString()]);
    this.overlay.put(`stream/${record.account}`, { ...record, ...Object.fromEntries(amounts) });
  }

  putPaymentAccount(account: PaymentAccount): void {
    this.overlay.put(`payment-account/${account.address}`, account);
    const others = this.paymentAccountsOf(account.owner);
    this.overlay.put(`payment-accounts/${account.owner}`, [...others, account.address]);
  }

  countLocked(bucketId: string, change: 1 | -1): void {
    this.overlay.put(`locked-count/${bucketId}`, Math.max(0, this.lockedCount(bucketId) + change));
  }

  putGvg(gvg: GlobalVirtualGroup): void {
    this.overlay.put(`gvg/${gvg.id}`, { ...gvg, totalDeposit: gvg.totalDeposit.toString() });
  }

  putBucket(bucket: BucketInfo): void {
    this.overlay.put(`bucket/${bucket.bucketName}`, bucket);
    this.overlay.put(bucketNameKey(bucket.id), bucket.bucketName);
  }

  /** Its objects must be gone before. */
  deleteBucket(bucket: BucketInfo): void {
    this.overlay.delete(`bucket/${bucket.bucketName}`);
    this.overlay.delete(bucketNameKey(bucket.id));
    this.overlay.delete(`local-groups/${bucket.id}`);
    this.overlay.delete(`locked-count/${bucket.id}`);
    this.overlay.delete(`quota-time/${bucket.id}`);
    this.overlay.delete(objectCountKey(bucket.bucketName));
  }

  putLocalGroups(bucketId: string, groups: readonly LocalVirtualGroup[]): void {
    this.overlay.put(`local-groups/${bucketId}`, groups);
  }

  putObject(object: ObjectInfo): void {
    if (!this.objectById(object.id)) this.#countObject(object.bucketName, 1);
    this.overlay.put(objectKey(object.bucketName, object.objectName), object.id);
    this.overlay.put(`object/${object.id}`, object);
  }

  deleteObject(object: ObjectInfo): void {
    this.overlay.delete(objectKey(object.bucketName, object.objectName));
    this.overlay.delete(`object/${object.id}`);
    this.deletePendingUpdate(object.id);
    this.#countObject(object.bucketName, -1);
  }

  putPendingUpdate(objectId: string, update: PendingUpdate): void {
    this.overlay.put(`update/${objectId}`, update);
  }

  deletePendingUpdate(objectId: string): void {
    this.overlay.delete(`update/${objectId}`);
  }

  #countObject(bucketName: string, change: number): void {
    this.overlay.put(objectCountKey(bucketName), this.objectCount(bucketName) + change);
  }

  /** The next number of a sequence, from 1. */
  nextId(sequence: 'bucket' | 'object' | 'group' | 'policy'): string {
    const id = (this.overlay.get<number>(`next-id/${sequence}`) ?? 0) + 1;
    this.overlay.put(`next-id/${sequence}`, id);
    return id.toString();
  }
}

/** Fills an empty state. */
export function putGenesis(state: State, genesis: ChainGenesis): void {
  const { overlay } = state;
  overlay.put('chain-id', genesis.chainId);
  overlay.put('format', STATE_FORMAT);
  overlay.put('params', genesis.params);
  overlay.put('sps', genesis.sps);
  overlay.put('families', genesis.families);
  for (const gvg of genesis.gvgs) {
    state.putGvg({ ...gvg, storedSize: 0, totalDeposit: BigInt(gvg.totalDeposit) });
  }
  genesis.accounts.forEach(({ address, balance }, accountNumber) => {
    state.putAccount({ address, accountNumber, sequence: 0, balance, publicKey: '' });
  });
}

/** Begins the keys of all buckets' names, which are in the order of their ids. */
export const BUCKET_NAMES = 'bucket-name/';

function bucketNameKey(id: string): string {
  return `${BUCKET_NAMES}${id.padStart(ID_DIGITS, '0')}`;
}

/** Begins the keys of the ids of a bucket's objects, which are in the order of their names' hashes as on a real node. */
export function objectIds(bucketName: string): string {
  return `object-id/${bucketName}/`;
}

function objectKey(bucketName: string, objectName: string): string {
  return `${objectIds(bucketName)}${toHex(keccak256(objectName))}`;
}

function objectCountKey(bucketName: string): string {
  return `object-count/${bucketName}`;
}
