import { randomBytes } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { type ObjectStore, Objm, StorageType, setSha256Backend } from '@nats-io/obj';
import { connect } from 'nats';
import type { NetworkSp } from '../cli/network.ts';

/** As large as the server takes it, less room for headers. */
const CHUNK_HEADROOM = 4_096;

/**
 * A bucket of its own, used by the stock client of the NATS object store at its best: native SHA-256, the largest
 * chunks. What it does with some bytes is the floor of what Sealion does with them.
 */
export class RawStore {
  readonly #connection: NatsConnection;
  readonly #store: ObjectStore;

  private constructor(connection: NatsConnection, store: ObjectStore) {
    this.#connection = connection;
    this.#store = store;
  }

  static async open({ url, user, password }: NetworkSp['nats']): Promise<RawStore> {
    setSha256Backend('native');
    const connection = await connect({ servers: url, user, pass: password });
    const bucket = `bench-${randomBytes(6).toString('hex')}`;
    const store = await new Objm(jetstream(connection)).create(bucket, { storage: StorageType.File });
    return new RawStore(connection, store);
  }

  async put(name: string, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const chunkSize = (this.#connection.info?.max_payload ?? 1_048_576) - CHUNK_HEADROOM;
    await this.#store.put({ name, options: { max_chunk_size: chunkSize } }, ReadableStream.from(bytes));
  }

  async get(name: string): Promise<AsyncIterable<Uint8Array>> {
    const found = await this.#store.get(name);
    if (!found) throw new RangeError(`the raw store has no ${name}`);
    return found.data;
  }

  async delete(name: string): Promise<void> {
    await this.#store.delete(name);
  }

  /** Removes the bucket too. */
  async close(): Promise<void> {
    await this.#store.destroy();
    await this.#connection.close();
  }
}
