import { MESSAGE_TYPES, type MessageTypeUrl } from '#protocols/greenfield/messages';
import type {
  BucketInfo,
  GlobalVirtualGroup,
  GlobalVirtualGroupFamily,
  ObjectInfo,
  PendingUpdate,
  StorageProvider,
} from '#protocols/greenfield/types';
import { AccessReader } from './access/access-state.ts';
import type { GenesisParams } from './genesis.ts';
import type { AccountRecord, Head, LocalVirtualGroup, PaymentAccount, StreamRecord } from './records.ts';
import { Errors, Refusal } from './refusal.ts';
import { AMOUNTS, bucketNameKey, objectCountKey, objectKey } from './state-format.ts';
import type { Reader } from './store.ts';

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
