import type { MessageTypeUrl } from '#protocols/greenfield/messages';
import type {
  BucketInfo,
  GlobalVirtualGroup,
  ObjectInfo,
  PendingUpdate,
  StorageProvider,
} from '#protocols/greenfield/types';
import { Access } from './access/access-state.ts';
import type { ChainGenesis } from './genesis.ts';
import type { AccountRecord, Head, LocalVirtualGroup, PaymentAccount, StreamRecord } from './records.ts';
import { AMOUNTS, bucketNameKey, objectCountKey, objectKey, STATE_FORMAT } from './state-format.ts';
import { StateReader } from './state-reader.ts';
import { Overlay, type Reader } from './store.ts';

/** The state with a layer of changes. */
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

  /** Stores the height at which an SP began its last maintenance. */
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

  /** Deletes a bucket, whose objects must have been deleted before. */
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
