import { Retryable } from '#protocols/errors';
import { ChainError } from '#protocols/greenfield/chain-errors';
import { gasOf, MIN_GAS_PRICE } from '#protocols/greenfield/fees';
import type { Message } from '#protocols/greenfield/messages';
import type { Simulation } from '#protocols/greenfield/simulation';
import { decodeTransaction, transactionHash } from '#protocols/greenfield/transaction';
import type {
  Account,
  GlobalVirtualGroup,
  ObjectInfo,
  ObjectOnChain,
  PendingUpdate,
  StorageProvider,
} from '#protocols/greenfield/types';
import type { JobObject } from '#protocols/job/context';
import type { JobId } from '#protocols/job/identity';
import { verifySealAggregate } from '#protocols/sealing/seal';
import type { BroadcastResult, Chain, IncludedTransaction } from '#runtime/chain/chain';
import { provider } from './providers.ts';

/** A transaction that came to the chain's node. */
export interface SeenTransaction {
  readonly hash: string;
  readonly kind: 'seal' | 'reject';
  /** Of the first message. */
  readonly gvgId: number;
  /** Names, one for each message. */
  readonly objects: readonly string[];
  readonly sequence: number;
  readonly gasLimit: number;
  /** What its sender pays whether it succeeds or not. */
  readonly fee: bigint;
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
 * groups. A block comes with every broadcast. Aggregates, gas and fees are checked as the chain checks them.
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
  /** Those of them that a block has: each has cost its fee. */
  readonly paid: SeenTransaction[] = [];
  /** True while the account that pays for the bucket is frozen. */
  frozen = false;
  /** By type of message, where it is not the usual. */
  readonly gas = new Map<string, number>();
  minGasPrice = MIN_GAS_PRICE;
  /** What the account can pay with. */
  balance = 10n ** 18n;
  /** False: the node cannot find a transaction by its hash. */
  indexed = true;
  /** False: the node tries no transaction out. */
  simulates = true;
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
    return this.indexed ? this.#included.get(hash) : undefined;
  }

  async messageGas(typeUrl: string): Promise<number> {
    this.#answering();
    return this.#gasOf([{ typeUrl }]);
  }

  async simulate(bytes: Uint8Array): Promise<Simulation> {
    this.#answering();
    if (!this.simulates) throw chainAway();
    const { seen, messages } = read(bytes);
    const refused = this.#refusalOfFee(seen) ?? this.#refusalOfSequence(seen) ?? this.#refusalOfAny(messages);
    if (refused) return { kind: 'refused', ...refused };
    return { kind: 'accepted', gasUsed: this.#gasOf(messages), minGasPrice: this.minGasPrice };
  }

  async broadcast(bytes: Uint8Array): Promise<BroadcastResult> {
    this.#answering();
    const { seen, messages } = read(bytes);
    this.broadcasts.push(seen);
    const take = () => this.#take(seen, messages, this.#gasOf(messages));
    const verdict = this.answers.shift()?.(seen, take) ?? take();
    return { hash: seen.hash, ...verdict };
  }

  /** Puts a transaction into a block with this result; its sequence is used, its fee paid. */
  include(seen: SeenTransaction, verdict: Verdict): Verdict {
    const { hash } = seen;
    this.sequence += 1;
    this.balance -= seen.fee;
    this.paid.push(seen);
    this.#included.set(hash, { hash, height: 1, responses: [], ...verdict });
    return OK;
  }

  #take(seen: SeenTransaction, messages: readonly SeenMessage[], gas: number): Verdict {
    // CometBFT knows what has succeeded; what has failed in a block may come again.
    if (this.#included.get(seen.hash)?.code === 0) return OK;
    if (seen.gasLimit < gas) {
      const log = `out of gas in location: gas cost by msg type; gasWanted: ${seen.gasLimit}, gasUsed: ${gas}`;
      return refusal(ChainError.OUT_OF_GAS, `${log}: out of gas`);
    }
    const required = BigInt(seen.gasLimit) * this.minGasPrice;
    if (seen.fee < required) {
      const log = `insufficient fees; got: ${seen.fee}BNB required: ${required}BNB: insufficient fee`;
      return refusal(ChainError.INSUFFICIENT_FEE, log);
    }
    const refused = this.#refusalOfFee(seen) ?? this.#refusalOfSequence(seen);
    return refused ?? this.include(seen, this.#run(messages));
  }

  #refusalOfFee({ fee }: SeenTransaction): Verdict | undefined {
    if (fee <= this.balance) return undefined;
    const log = `spendable balance ${this.balance}BNB is smaller than ${fee}BNB: insufficient funds`;
    return refusal(ChainError.INSUFFICIENT_FUNDS, log);
  }

  #refusalOfSequence({ sequence }: SeenTransaction): Verdict | undefined {
    if (sequence === this.sequence) return undefined;
    const log = `account sequence mismatch, expected ${this.sequence}, got ${sequence}: incorrect account sequence`;
    return refusal(ChainError.WRONG_SEQUENCE, log);
  }

  /** All of them, or none. No two are about one object. */
  #run(messages: readonly SeenMessage[]): Verdict {
    const refused = this.#refusalOfAny(messages);
    if (refused) return refused;
    for (const { kind, value } of messages) {
      const object = this.#named(value);
      if (!object) throw new Error('what is not refused is there');
      if (kind === 'seal') this.seal(object.id, value.globalVirtualGroupId ?? 0);
      else if (this.#updates.has(object.id)) this.callOff(object.id);
      else this.objects.delete(object.id);
    }
    return OK;
  }

  /** Of the first message that would fail. */
  #refusalOfAny(messages: readonly SeenMessage[]): Verdict | undefined {
    for (const [index, message] of messages.entries()) {
      const refused = this.#refusalOf(message, index);
      if (refused) return refused;
    }
    return undefined;
  }

  /** Why the message would fail, in the chain's words and order; undefined when it would not. */
  #refusalOf({ kind, value }: SeenMessage, index: number): Verdict | undefined {
    const refused = (error: ChainError, log: string = error.text) =>
      refusal(error, `failed to execute message; message index: ${index}: ${log}`);
    const gvgId = value.globalVirtualGroupId ?? 0;
    const object = this.#named(value);
    if (!object) return refused(ChainError.NO_SUCH_OBJECT);
    const update = this.#updates.get(object.id);
    // Of the content that is there, even where the seal is of new content.
    const known = object.checksums.length > 0 || (value.expectChecksums ?? []).length > 0;
    if (kind === 'seal' && !known) return refused(ChainError.CHECKSUMS_MISSING);
    if (object.status !== 'CREATED' && !update) {
      return refused(kind === 'seal' ? ChainError.OBJECT_ALREADY_SEALED : ChainError.OBJECT_NOT_CREATED);
    }
    const frozen = `update stream record failed: bucket object stream record ${object.owner} is frozen`;
    if (kind === 'reject') return this.frozen ? refused(UNNUMBERED, frozen) : undefined;
    const gvg = this.groups.find(({ id }) => id === gvgId);
    if (!gvg) return refused(ChainError.INVALID_GVG);
    const announced = (update ?? object).checksums;
    const checksums = announced.length > 0 ? announced : (value.expectChecksums ?? []);
    const document = { chainId: this.chainId, gvgId, objectId: object.id, checksums };
    const keys = gvg.secondarySpIds.map((id) => this.providers.find((sp) => sp.id === id)?.blsKey ?? '');
    if (!verifySealAggregate(document, keys, value.secondarySpBlsAggSignatures)) {
      return refused(ChainError.INVALID_BLS_SIGNATURE);
    }
    if (!this.frozen) return undefined;
    const inner = `unlock store fee failed: bucket object ${frozen}`;
    return refused(ChainError.INVALID_GVG, `err message: ${inner}: invalid global virtual group`);
  }

  #gasOf(messages: readonly Pick<SeenMessage, 'typeUrl'>[]): number {
    const of = (typeUrl: string) => this.gas.get(typeUrl) ?? gasOf([{ typeUrl } as Message]);
    return messages.reduce((sum, { typeUrl }) => sum + of(typeUrl), 0);
  }

  #named({ objectName }: SealValue): ObjectInfo | undefined {
    return [...this.objects.values()].find((object) => object.objectName === objectName);
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
  families = unasked;
  gvg = unasked;
  isAllowed = unasked;
  close(): void {}

  #answering(): void {
    if (this.outage) throw this.outage;
  }
}

/** An error that the chain has given no number. */
const UNNUMBERED: ChainError = { codespace: 'undefined', code: 1, text: '' };

interface SeenMessage {
  readonly typeUrl: string;
  readonly kind: 'seal' | 'reject';
  readonly value: SealValue;
}

function read(bytes: Uint8Array): { seen: SeenTransaction; messages: readonly SeenMessage[] } {
  const { signers, fee, ...transaction } = decodeTransaction(bytes);
  const messages = transaction.messages.map(({ typeUrl, value }): SeenMessage => {
    const of = value as SealValue;
    return { typeUrl, kind: of.globalVirtualGroupId === undefined ? 'reject' : 'seal', value: of };
  });
  const [first] = messages;
  const seen: SeenTransaction = {
    hash: transactionHash(bytes),
    kind: first?.kind ?? 'seal',
    gvgId: first?.value.globalVirtualGroupId ?? 0,
    objects: messages.map(({ value }) => value.objectName),
    sequence: signers[0]?.sequence ?? 0,
    gasLimit: fee.gasLimit,
    fee: fee.amount[0]?.amount ?? 0n,
  };
  return { seen, messages };
}

interface SealValue {
  readonly objectName: string;
  readonly globalVirtualGroupId?: number;
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
