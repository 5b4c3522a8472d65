import {
  MsgCreateBucketResponse,
  MsgCreateObjectResponse,
} from '@bnb-chain/greenfield-cosmos-types/greenfield/storage/tx.js';
import type { Message } from '#protocols/greenfield/messages';
import type { Chain, ChainOptions, IncludedTransaction } from '#runtime/chain/chain';
import type { AccountKey } from '#runtime/keys/keys';
import {
  createBucketMessage,
  createObjectMessage,
  type NewBucket,
  type NewContent,
  type NewObject,
  updateObjectMessage,
} from './announcements.ts';
import { Transactions } from './transactions.ts';

/** About 45 KiB; a transaction may have 64 KiB. */
const OBJECTS_PER_TRANSACTION = 80;

/**
 * A client's account on chain: signs transactions, sends them, and waits until they are in a block. Several may be sent
 * at once; they get their sequences in turn and may share a block.
 */
export class ChainAccount {
  readonly address: string;
  readonly #transactions: Transactions;

  /** @param inclusionMs how long to wait until a transaction is in a block, ms */
  constructor(chain: Chain, key: AccountKey, inclusionMs = 60_000) {
    this.address = key.address;
    this.#transactions = new Transactions(chain, key, inclusionMs);
  }

  /** @returns the bucket's id. @throws as `send` */
  async createBucket(bucket: NewBucket, options?: ChainOptions): Promise<string> {
    const { responses } = await this.send(createBucketMessage(this.address, bucket), options);
    return MsgCreateBucketResponse.decode(firstResponse(responses)).bucketId;
  }

  /** Creates an object, whose payload is then uploaded. @returns the object's id. @throws as `send` */
  async createObject(object: NewObject, options?: ChainOptions): Promise<string> {
    const { responses } = await this.send(createObjectMessage(this.address, object), options);
    return MsgCreateObjectResponse.decode(firstResponse(responses)).objectId;
  }

  /**
   * Creates many objects, as many per transaction as fit.
   * @returns their ids, in the order of the objects
   * @throws as `send`; the objects of earlier transactions then exist
   */
  async createObjects(objects: readonly NewObject[], options?: ChainOptions): Promise<string[]> {
    const ids: string[] = [];
    for (let from = 0; from < objects.length; from += OBJECTS_PER_TRANSACTION) {
      const some = objects.slice(from, from + OBJECTS_PER_TRANSACTION);
      const messages = some.map((object) => createObjectMessage(this.address, object));
      const { responses } = await this.sendTogether(messages, options);
      ids.push(...responses.map(({ value }) => MsgCreateObjectResponse.decode(value).objectId));
    }
    return ids;
  }

  /** Announces new content of a sealed object, which is then uploaded. @throws as `send` */
  async updateObject(object: NewContent, options?: ChainOptions): Promise<void> {
    await this.send(updateObjectMessage(this.address, object), options);
  }

  /** Cancels an object that is not sealed yet. @throws as `send` */
  async cancelCreateObject(bucketName: string, objectName: string, options?: ChainOptions): Promise<void> {
    await this.send(
      {
        typeUrl: '/greenfield.storage.MsgCancelCreateObject',
        value: { operator: this.address, bucketName, objectName },
      },
      options,
    );
  }

  /** Cancels an update that is not sealed yet. @throws as `send` */
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
   * Pays into the stream record of an account, which unfreezes a frozen one.
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

  /**
   * Sends one message and waits until it is in a block.
   * @throws Terminal `transaction-refused` with the chain's reason; Retryable `transaction-not-included`; as `Chain`
   */
  send(message: Message, options?: ChainOptions): Promise<IncludedTransaction> {
    return this.sendTogether([message], options);
  }

  /** Sends messages in one transaction, which take effect all together or not at all. @throws as `send` */
  sendTogether(messages: readonly Message[], options?: ChainOptions): Promise<IncludedTransaction> {
    return this.#transactions.send(messages, options);
  }
}

function firstResponse(responses: IncludedTransaction['responses']): Uint8Array {
  return responses[0]?.value ?? new Uint8Array();
}
