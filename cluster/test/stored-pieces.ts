import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { type ObjectStore, Objm } from '@nats-io/obj';
import { Retryable } from '#protocols/errors';
import { TurnLimit } from '#runtime/async/turn-limit';
import { connectNats } from '#runtime/nats/connect';
import { patient } from '#runtime/nats/patient';
import { silentLogger } from '#runtime/telemetry/logger';
import type { Devnet } from '../devnet/devnet.ts';
import { retryUntilUp } from '../node/retry-until-up.ts';

/** An SP's PieceStore as a stock NATS client sees it: to look at what the SP stored, and to lose or damage it. */
export class StoredPieces {
  readonly #nats: Devnet['file']['sps'][number]['nats'];

  constructor(nats: Devnet['file']['sps'][number]['nats']) {
    this.#nats = nats;
  }

  /**
   * Null when there is no such piece.
   * @throws SealionError when the piece lacks a chunk, for which a stock client would wait forever
   */
  read(key: string): Promise<Uint8Array | null> {
    return this.#open(async (store) => {
      const limit = new TurnLimit(5_000);
      const late = limit.over.then(() => {
        throw new Retryable({ code: 'piece-corrupt', message: `${key} did not arrive.` });
      });
      return await Promise.race([store.getBlob(key), late]).finally(() => limit.stop());
    });
  }

  /** True when the piece is held. Reading a piece that is being deleted would never end. */
  has(key: string): Promise<boolean> {
    return this.#open(async (store) => {
      const found = await store.info(key);
      return found !== null && !found.deleted;
    });
  }

  /** Removes a piece, as a power cut may. */
  async lose(key: string): Promise<void> {
    await this.#open((store) => store.delete(key));
  }

  /** Removes all pieces with a matching name. @returns their number */
  loseAll(which: (key: string) => boolean): Promise<number> {
    return this.#open(async (store) => {
      const lost = (await store.list()).filter(({ name, deleted }) => !deleted && which(name));
      for (const { name } of lost) await store.delete(name);
      return lost.length;
    });
  }

  /** Removes one chunk of a piece, as a broken disk may. */
  async damage(key: string, chunk = 0): Promise<void> {
    await this.#open(async (store, connection) => {
      const manager = await jetstreamManager(patient(connection));
      const stream = (await store.status()).streamInfo.config.name;
      const sequences = (await store.info(key))?.metadata?.['chunk-sequences']?.split(',').map(Number);
      await manager.streams.deleteMessage(stream, sequences?.[chunk] ?? 0);
    });
  }

  /** The names of all pieces, the number of chunks, and how many of them belong to a name. */
  list(): Promise<{ readonly names: string[]; readonly chunks: number; readonly named: number }> {
    return this.#open(async (store, connection) => {
      const list = (await store.list()).filter(({ deleted }) => !deleted);
      const stream = (await store.status()).streamInfo.config.name;
      const manager = await jetstreamManager(patient(connection));
      const { state } = await manager.streams.info(stream, { subjects_filter: '$O.*.C.>' });
      return {
        names: list.map(({ name }) => name).sort(),
        chunks: Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0),
        named: list.reduce((sum, { chunks }) => sum + chunks, 0),
      };
    });
  }

  async #open<T>(work: (store: ObjectStore, connection: NatsConnection) => Promise<T>): Promise<T> {
    const { url, user, password, bucket } = this.#nats;
    const connection = await retryUntilUp(
      'the home plane',
      () => connectNats({ url, name: 'test', user, password, log: silentLogger }),
      { log: silentLogger, signal: new AbortController().signal },
    );
    try {
      return await work(await new Objm(jetstream(patient(connection))).open(bucket), connection);
    } finally {
      await connection.close();
    }
  }
}
