import { randomBytes } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import { createInbox, type NatsConnection } from '@nats-io/nats-core';
import { type ObjectStore, Objm, StorageType, setSha256Backend } from '@nats-io/obj';
import { connect } from 'nats';
import type { NetworkSp } from '../cli/network.ts';

/** Room for headers: chunks are smaller than the server's maximum payload by this, bytes. */
const CHUNK_HEADROOM = 4_096;
/** Messages in flight. */
const WINDOW = 16;

/**
 * A separate bucket, used by the standard client of the NATS object store with the best settings: native SHA-256 and
 * the largest chunks. Its times are the floor for Sealion's own work on the same bytes.
 */
export class RawStore {
  readonly #connection: NatsConnection;
  readonly #store: ObjectStore;
  /** Another connection to the same account. */
  readonly #connect: () => Promise<NatsConnection>;

  private constructor(
    connection: NatsConnection,
    store: ObjectStore,
    anotherConnection: () => Promise<NatsConnection>,
  ) {
    this.#connection = connection;
    this.#store = store;
    this.#connect = anotherConnection;
  }

  static async open({ url, user, password }: NetworkSp['nats']): Promise<RawStore> {
    setSha256Backend('native');
    const link = () => connect({ servers: url, user, pass: password });
    const connection = await link();
    const bucket = `bench-${randomBytes(6).toString('hex')}`;
    const store = await new Objm(jetstream(connection)).create(bucket, { storage: StorageType.File });
    return new RawStore(connection, store, link);
  }

  async put(name: string, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    await this.#store.put({ name, options: { max_chunk_size: this.#chunkSize } }, ReadableStream.from(bytes));
  }

  get #chunkSize(): number {
    return (this.#connection.info?.max_payload ?? 1_048_576) - CHUNK_HEADROOM;
  }

  /** Reads an object to its end. @returns ms until its first byte */
  async read(name: string): Promise<number> {
    const begin = performance.now();
    const found = await this.#store.get(name);
    if (!found) throw new RangeError(`the raw store has no ${name}`);
    let first = Number.NaN;
    for await (const _ of found.data) if (Number.isNaN(first)) first = performance.now() - begin;
    const fault = await found.error;
    if (fault) throw fault;
    return first;
  }

  /** Sends bytes from one connection to another over core NATS, a window at a time. @param size bytes */
  async passOn(size: number): Promise<void> {
    const chunk = new Uint8Array(this.#chunkSize);
    const subject = createInbox();
    const receiver = await this.#connect();
    try {
      let [arrived, wake] = [0, () => {}];
      receiver.subscribe(subject, {
        callback: () => {
          arrived += 1;
          wake();
        },
      });
      await receiver.flush();
      const count = Math.ceil(size / chunk.length);
      const upTo = async (wanted: number) => {
        while (arrived < wanted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      };
      for (let sent = 1; sent <= count; sent += 1) {
        this.#connection.publish(subject, chunk);
        await upTo(sent - WINDOW);
      }
      await upTo(count);
    } finally {
      await receiver.close();
    }
  }

  async delete(name: string): Promise<void> {
    await this.#store.delete(name);
  }

  /** Also removes the bucket. */
  async close(): Promise<void> {
    await this.#store.destroy();
    await this.#connection.close();
  }
}
