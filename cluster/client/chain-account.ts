import { setTimeout as sleep } from 'node:timers/promises';
import {
  MsgCreateBucketResponse,
  MsgCreateObjectResponse,
} from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/tx.js';
import { Retryable, Terminal, throwIfAborted, toSealionError } from '#protocols/errors';
import { ChainError, isChainError } from '#protocols/greenfield/chain-errors';
import { FEE_POLICY, gasOf, quoteFee } from '#protocols/greenfield/fees';
import type { Message } from '#protocols/greenfield/messages';
import { buildTransaction } from '#protocols/greenfield/transaction';
import type { Account, Hex, Redundancy, Visibility } from '#protocols/greenfield/types';
import type { SignedTransaction } from '#protocols/job/context';
import type { BroadcastResult, Chain, ChainOptions, IncludedTransaction } from '#runtime/chain/chain';
import type { AccountKey } from '#runtime/keys/keys';

export interface NewBucket {
  readonly bucketName: string;
  /** Operator address of the SP that shall serve it. */
  readonly primarySpAddress: string;
  readonly familyId: number;
  /** Private by default. */
  readonly visibility?: Visibility;
}

export interface NewObject {
  readonly bucketName: string;
  readonly objectName: string;
  /** Bytes. */
  readonly payloadSize: number;
  /** Seven integrity hashes, primary first. */
  readonly checksums: readonly Hex[];
  readonly contentType?: string;
  /** As its bucket by default. */
  readonly visibility?: Visibility;
  readonly redundancy?: Redundancy;
}

/** How often a transaction is signed again because another one took its sequence. */
const MAX_SIGNINGS = 10;
const POLL_MS = 200;
/** Some 45 KiB; a transaction may have 64. */
const OBJECTS_PER_TRANSACTION = 80;
/** What a transaction costs at least (protocols/sealing/README.md#gas-and-fees), with some room for its fee's digits. */
const GAS_PER_BYTE = 5.1;

/**
 * An account that acts on chain as a client does: signs, sends, and waits until it is in a block. Transactions
 * may be sent at once; they get their sequences in turn and can share a block.
 */
export class ChainAccount {
  readonly address: string;
  readonly #chain: Chain;
  readonly #key: AccountKey;
  /** How long a transaction may take to get into a block, ms. */
  readonly #inclusionMs: number;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(chain: Chain, key: AccountKey, inclusionMs = 60_000) {
    this.address = key.address;
    this.#chain = chain;
    this.#key = key;
    this.#inclusionMs = inclusionMs;
  }

  /** @returns the bucket's id. @throws as `send` */
  async createBucket(bucket: NewBucket, options?: ChainOptions): Promise<string> {
    const { responses } = await this.send(
      {
        typeUrl: '/greenfield.storage.MsgCreateBucket',
        value: {
          creator: this.address,
          bucketName: bucket.bucketName,
          visibility: bucket.visibility ?? 'PRIVATE',
          paymentAddress: '',
          primarySpAddress: bucket.primarySpAddress,
          primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: bucket.familyId, sig: '' },
          chargedReadQuota: 0n,
        },
      },
      options,
    );
    return MsgCreateBucketResponse.decode(firstResponse(responses)).bucketId;
  }

  /** Registers an object whose payload is then uploaded. @returns the object's id. @throws as `send` */
  async createObject(object: NewObject, options?: ChainOptions): Promise<string> {
    const { responses } = await this.send(this.#creation(object), options);
    return MsgCreateObjectResponse.decode(firstResponse(responses)).objectId;
  }

  /**
   * Registers many objects, as many in one transaction as fit.
   * @returns their ids, in the order of the objects
   * @throws as `send`; objects of earlier transactions are then registered
   */
  async createObjects(objects: readonly NewObject[], options?: ChainOptions): Promise<string[]> {
    const ids: string[] = [];
    for (let from = 0; from < objects.length; from += OBJECTS_PER_TRANSACTION) {
      const some = objects.slice(from, from + OBJECTS_PER_TRANSACTION);
      const messages = some.map((object) => this.#creation(object));
      const { responses } = await this.sendTogether(messages, options);
      ids.push(...responses.map(({ value }) => MsgCreateObjectResponse.decode(value).objectId));
    }
    return ids;
  }

  /** Announces new content of a sealed object, which is then uploaded. @throws as `send` */
  async updateObject(
    object: Omit<NewObject, 'visibility' | 'redundancy'>,
    options?: ChainOptions,
  ): Promise<void> {
    await this.send(
      {
        typeUrl: '/greenfield.storage.MsgUpdateObjectContent',
        value: {
          operator: this.address,
          bucketName: object.bucketName,
          objectName: object.objectName,
          payloadSize: BigInt(object.payloadSize),
          contentType: object.contentType ?? 'application/octet-stream',
          expectChecksums: object.checksums,
        },
      },
      options,
    );
  }

  /** Takes an object back that is not sealed yet. @throws as `send` */
  async cancelCreateObject(bucketName: string, objectName: string, options?: ChainOptions): Promise<void> {
    await this.send(
      {
        typeUrl: '/greenfield.storage.MsgCancelCreateObject',
        value: { operator: this.address, bucketName, objectName },
      },
      options,
    );
  }

  /** Takes back an update that is not sealed yet. @throws as `send` */
  async cancelUpdateObject(bucketName: string, objectName: string, options?: ChainOptions): Promise<void> {
    await this.send(
      {
        typeUrl: '/greenfield.storage.MsgCancelUpdateObjectContent',
        value: { operator: this.address, bucketName, objectName },
      },
      options,
    );
  }

  /** Deletes an object, whatever its state. @throws as `send` */
  async deleteObject(bucketName: string, objectName: string, options?: ChainOptions): Promise<void> {
    await this.send(
      {
        typeUrl: '/greenfield.storage.MsgDeleteObject',
        value: { operator: this.address, bucketName, objectName },
      },
      options,
    );
  }

  /** Deletes a bucket without objects. @throws as `send` */
  async deleteBucket(bucketName: string, options?: ChainOptions): Promise<void> {
    await this.send(
      {
        typeUrl: '/greenfield.storage.MsgDeleteBucket',
        value: { operator: this.address, bucketName },
      },
      options,
    );
  }

  /**
   * Pays into the stream record of an account, which thaws a frozen one.
   * @param amount smallest units of BNB
   * @throws as `send`
   */
  async deposit(to: string, amount: bigint, options?: ChainOptions): Promise<void> {
    await this.send(
      {
        typeUrl: '/greenfield.payment.MsgDeposit',
        value: { creator: this.address, to, amount: amount.toString() },
      },
      options,
    );
  }

  #creation(object: NewObject): Message {
    return {
      typeUrl: '/greenfield.storage.MsgCreateObject',
      value: {
        creator: this.address,
        bucketName: object.bucketName,
        objectName: object.objectName,
        payloadSize: BigInt(object.payloadSize),
        visibility: object.visibility ?? 'INHERIT',
        contentType: object.contentType ?? 'application/octet-stream',
        primarySpApproval: { expiredHeight: 0n, globalVirtualGroupFamilyId: 0, sig: '' },
        expectChecksums: object.checksums,
        redundancyType: object.redundancy ?? 'EC',
      },
    };
  }

  /**
   * Sends one message and waits until it is in a block.
   * @throws Terminal `transaction-refused` with the chain's words; Retryable `transaction-not-included`; as `Chain`
   */
  send(message: Message, options?: ChainOptions): Promise<IncludedTransaction> {
    return this.sendTogether([message], options);
  }

  /** Sends messages in one transaction, of which all or none take effect. @throws as `send` */
  async sendTogether(messages: readonly Message[], options?: ChainOptions): Promise<IncludedTransaction> {
    const { hash } = accepted(await this.#inTurn(() => this.#broadcast(messages, options)));
    const deadline = performance.now() + this.#inclusionMs;
    while (performance.now() < deadline) {
      const included = await this.#chain.transaction(hash, options);
      if (included) return accepted(included);
      await this.#pause(options);
    }
    throw new Retryable({
      code: 'transaction-not-included',
      message: `The transaction ${hash} is not in a block after ${this.#inclusionMs} ms.`,
      advice: 'Look it up later before sending another: it may still be included.',
    });
  }

  async #broadcast(
    messages: readonly Message[],
    options: ChainOptions | undefined,
  ): Promise<BroadcastResult> {
    for (let signing = 1; ; signing += 1) {
      throwIfAborted(options?.signal);
      const account = await this.#chain.account(this.address, options);
      if (!account) {
        throw new Terminal({
          code: 'no-such-account',
          message: `The chain does not know the account ${this.address}.`,
          advice: 'Send it some BNB first.',
        });
      }
      const { bytes } = await this.#sign(messages, account, options);
      const result = await this.#chain.broadcast(Buffer.from(bytes, 'hex'), options);
      if (!isChainError(result, ChainError.WRONG_SEQUENCE) || signing === MAX_SIGNINGS) return result;
      await this.#pause(options);
    }
  }

  async #sign(
    messages: readonly Message[],
    account: Account,
    options: ChainOptions | undefined,
  ): Promise<SignedTransaction> {
    const build = (gas: number) =>
      buildTransaction({
        chainId: this.#chain.chainId,
        account,
        messages,
        key: this.#key,
        fee: quoteFee(gas, undefined, { ...FEE_POLICY, gasHeadroom: 1 }),
      });
    const gas = await this.#gasOf(messages, options);
    const signed = await build(gas);
    const bySize = Math.ceil((signed.bytes.length / 2) * GAS_PER_BYTE);
    return bySize > gas ? build(bySize) : signed;
  }

  async #gasOf(messages: readonly Message[], options: ChainOptions | undefined): Promise<number> {
    let sum = 0;
    for (const type of new Set(messages.map(({ typeUrl }) => typeUrl))) {
      const same = messages.filter(({ typeUrl }) => typeUrl === type);
      const each = await this.#chain.messageGas(type, { ...options, fresh: true });
      sum += each === undefined ? gasOf(same) : each * same.length;
    }
    return sum;
  }

  /** One broadcast at a time, or two would be signed with one sequence. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #pause(options: ChainOptions | undefined): Promise<void> {
    try {
      await sleep(POLL_MS, undefined, options);
    } catch (error) {
      throwIfAborted(options?.signal);
      throw toSealionError(error);
    }
  }
}

function accepted<T extends { code: number; codespace: string; log: string }>(result: T): T {
  if (result.code === 0) return result;
  throw new Terminal({
    code: 'transaction-refused',
    message: `The chain refused the transaction: ${result.log} (${result.codespace} ${result.code}).`,
    advice: 'The message names the reason; nothing was changed on chain, but the fee may have been charged.',
  });
}

function firstResponse(responses: IncludedTransaction['responses']): Uint8Array {
  return responses[0]?.value ?? new Uint8Array();
}
