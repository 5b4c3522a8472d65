import { Retryable } from '../../protocols/errors.ts';
import { ChainError } from '../../protocols/greenfield/chain-errors.ts';
import { decodeTransaction, transactionHash } from '../../protocols/greenfield/transaction.ts';
import type {
  Account,
  GlobalVirtualGroup,
  ObjectInfo,
  ObjectOnChain,
  PendingUpdate,
  StorageProvider,
} from '../../protocols/greenfield/types.ts';
import type { JobObject } from '../../protocols/job/context.ts';
import type { JobId } from '../../protocols/job/identity.ts';
import { verifySealAggregate } from '../../protocols/sealing/seal.ts';
import type { BroadcastResult, Chain, IncludedTransaction } from '../../runtime/chain/chain.ts';
import { provider } from './providers.ts';

/** A transaction that came to the chain's node. */
export interface SeenTransaction {
  readonly hash: string;
  readonly kind: 'seal' | 'reject';
  readonly gvgId: number;
  readonly sequence: number;
}

type Verdict = Omit<BroadcastResult, 'hash'>;
/** Answers one broadcast in the chain's place; `take` is what the chain would do. */
export type Broadcaster = (transaction: SeenTransaction, take: () => Verdict) => Verdict;

const OK: Verdict = { code: 0, codespace: '', log: '' };

/** As the chain refuses. */
export function refusal(error: ChainError, log: string = error.text): Verdict {
  return { code: error.code, codespace: error.codespace, log };
}

/**
 * What the primary's actors see of a chain, small: one account with its sequence, objects that wait for their seal,
 * groups. A block comes with every broadcast. Aggregates are checked as the chain checks them.
 */
export class TestChain implements Chain {
  readonly chainId = 'greenfield_9000-1741';
  readonly objects = new Map<string, ObjectInfo>();
  readonly providers: StorageProvider[];
  groups: GlobalVirtualGroup[];
  /** Bytes by group; plenty where nothing is said. */
  readonly free = new Map<number, number>();
  sequence = 0;
  /** Unix ms of the latest block. */
  time = Date.now();
  /** Everything that was broadcast, in order. */
  readonly broadcasts: SeenTransaction[] = [];
  /** Taken one after the other by the next broadcasts. */
  readonly answers: Broadcaster[] = [];
  /** While set, every call fails with it. */
  outage: Error | undefined;
  readonly #updates = new Map<string, PendingUpdate>();
  readonly #included = new Map<string, IncludedTransaction>();

  constructor(groups: readonly GlobalVirtualGroup[]) {
    this.groups = [...groups];
    const ids = new Set([1, ...groups.flatMap(({ secondarySpIds }) => secondarySpIds)]);
    this.providers = [...ids].map(provider);
  }

  /** Registers an object that waits for its payload. */
  create({ objectId }: JobId, object: JobObject, over: Partial<ObjectInfo> = {}): void {
    const { owner, bucketName, objectName, payloadSize, contentType, createdAt, checksums } = object;
    this.objects.set(objectId, {
      id: objectId,
      owner,
      creator: owner,
      bucketName,
      objectName,
      payloadSize,
      contentType,
      createdAt,
      checksums,
      redundancy: object.redundancy,
      localVirtualGroupId: 0,
      visibility: 'PRIVATE',
      status: 'CREATED',
      isUpdating: false,
      updatedAt: 0,
      updatedBy: '',
      version: 0,
      ...over,
    });
  }

  /** New content of a sealed object waits beside the old. */
  announce({ objectId, version }: JobId, object: JobObject): void {
    const { owner: updater, payloadSize, contentType, checksums, createdAt: updatedAt } = object;
    this.#change(objectId, { isUpdating: true });
    this.#updates.set(objectId, { updater, payloadSize, contentType, checksums, updatedAt, version });
  }

  /** The announced content is given up. */
  callOff(objectId: string): void {
    this.#change(objectId, { isUpdating: false });
    this.#updates.delete(objectId);
  }

  async objectById(objectId: string): Promise<ObjectOnChain | undefined> {
    this.#answering();
    const object = this.objects.get(objectId);
    const gvg = this.groups.find(({ id }) => id === object?.localVirtualGroupId);
    const update = this.#updates.get(objectId);
    return object && { object, ...(gvg && { gvg }), ...(update && { update }) };
  }

  async latestBlock() {
    this.#answering();
    return { height: 1, time: this.time };
  }

  async gvgsOfFamily(): Promise<readonly GlobalVirtualGroup[]> {
    this.#answering();
    return this.groups;
  }

  async freeCapacity(gvg: GlobalVirtualGroup): Promise<number> {
    return this.free.get(gvg.id) ?? 1e12;
  }

  async storageProviders(): Promise<readonly StorageProvider[]> {
    this.#answering();
    return this.providers;
  }

  async account(address: string): Promise<Account> {
    this.#answering();
    return { address, accountNumber: 7, sequence: this.sequence };
  }

  async transaction(hash: string): Promise<IncludedTransaction | undefined> {
    this.#answering();
    return this.#included.get(hash);
  }

  async broadcast(bytes: Uint8Array): Promise<BroadcastResult> {
    this.#answering();
    const { messages, signers } = decodeTransaction(bytes);
    const [message] = messages;
    const value = message?.value as { readonly objectName: string; readonly globalVirtualGroupId?: number };
    const seen: SeenTransaction = {
      hash: transactionHash(bytes),
      kind: value.globalVirtualGroupId === undefined ? 'reject' : 'seal',
      gvgId: value.globalVirtualGroupId ?? 0,
      sequence: signers[0]?.sequence ?? 0,
    };
    this.broadcasts.push(seen);
    const take = () => this.#take(seen, value as SealValue);
    const verdict = this.answers.shift()?.(seen, take) ?? take();
    return { hash: seen.hash, ...verdict };
  }

  /** Puts a transaction into a block with this result; its sequence is used. */
  include({ hash }: SeenTransaction, verdict: Verdict): Verdict {
    this.sequence += 1;
    this.#included.set(hash, { hash, height: 1, responses: [], ...verdict });
    return OK;
  }

  #take(seen: SeenTransaction, value: SealValue): Verdict {
    if (this.#included.has(seen.hash)) return OK;
    if (seen.sequence !== this.sequence) {
      const log = `account sequence mismatch, expected ${this.sequence}, got ${seen.sequence}`;
      return refusal(ChainError.WRONG_SEQUENCE, log);
    }
    return this.include(seen, this.#run(seen, value));
  }

  #run({ kind, gvgId }: SeenTransaction, value: SealValue): Verdict {
    const object = [...this.objects.values()].find(({ objectName }) => objectName === value.objectName);
    if (!object) return refusal(ChainError.NO_SUCH_OBJECT);
    const update = this.#updates.get(object.id);
    if (object.status !== 'CREATED' && !update) return refusal(ChainError.OBJECT_ALREADY_SEALED);
    if (kind === 'reject') {
      if (update) this.callOff(object.id);
      else this.objects.delete(object.id);
      return OK;
    }
    const gvg = this.groups.find(({ id }) => id === gvgId);
    if (!gvg) return refusal(ChainError.INVALID_GVG);
    const announced = (update ?? object).checksums;
    const checksums = announced.length > 0 ? announced : (value.expectChecksums ?? []);
    const document = { chainId: this.chainId, gvgId, objectId: object.id, checksums };
    const keys = gvg.secondarySpIds.map((id) => this.providers.find((sp) => sp.id === id)?.blsKey ?? '');
    if (!verifySealAggregate(document, keys, value.secondarySpBlsAggSignatures)) {
      return refusal(ChainError.INVALID_BLS_SIGNATURE);
    }
    this.seal(object.id, gvgId);
    return OK;
  }

  /** Seals an object as by a transaction from elsewhere. */
  seal(objectId: string, gvgId: number): void {
    const { updater: _, ...content } = this.#updates.get(objectId) ?? {};
    this.callOff(objectId);
    this.#change(objectId, { ...content, status: 'SEALED', localVirtualGroupId: gvgId });
  }

  #change(objectId: string, change: Partial<ObjectInfo>): void {
    const object = this.objects.get(objectId);
    if (object) this.objects.set(objectId, { ...object, ...change });
  }

  storageParams = unasked;
  bucket = unasked;
  object = unasked;
  family = unasked;
  gvg = unasked;
  isAllowed = unasked;
  close(): void {}

  #answering(): void {
    if (this.outage) throw this.outage;
  }
}

interface SealValue {
  readonly objectName: string;
  readonly secondarySpBlsAggSignatures: string;
  /** Of a MsgSealObjectV2. */
  readonly expectChecksums?: readonly string[];
}

/** The primary's actors have no business there. */
function unasked(): never {
  throw new Error('the actors of the primary do not ask this');
}

/** A node that does not answer. */
export function chainAway(): Retryable {
  return new Retryable({ code: 'chain-unavailable', message: 'No chain node answers.' });
}
