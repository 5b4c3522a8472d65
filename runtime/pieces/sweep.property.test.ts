import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, nuid } from '@nats-io/nats-core';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { connect } from 'nats';
import { Retryable, toSealionError } from '#protocols/errors';
import { patient } from '../nats/patient.ts';
import { type NatsServer, startNatsServer } from '../nats/server.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { startCuttingProxy } from '../testing/cutting-proxy.ts';
import { openNatsPieceStore } from './nats-piece-store.ts';
import { chunkHeaders } from './object-layout.ts';
import type { PieceStore } from './piece-store.ts';

/** As in production the one is half of the other; ms. */
const PUT_LIMIT_MS = 400;
const ORPHAN_AGE_MS = 1_200;
const KEYS = ['a', 'b', 'c', 'd'];
/** Stored before, so that they are old when the sweeps begin. */
const OLD_PIECES = 40;
const RUNS = 3;

type Fault = { readonly afterMs: number; readonly kind: 'restart' | 'cut'; readonly message: number };
type Step = { readonly kind: 'put' | 'delete' | 'abandon'; readonly key: string; readonly afterMs: number };

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('put' as const, 'put' as const, 'delete' as const, 'abandon' as const),
    key: fc.constantFrom(...KEYS),
    afterMs: fc.nat(80),
  }),
  { minLength: 12, maxLength: 20 },
);
const faults = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 20, max: 500 }),
    kind: fc.constantFrom('restart' as const, 'cut' as const, 'cut' as const, 'cut' as const),
    message: fc.integer({ min: 1, max: 40 }),
  }),
  { minLength: 2, maxLength: 5 },
);
/** At which message each sweep loses its connection. */
const sweepCuts = fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 10, maxLength: 20 });

test('after any cuts, restarts, puts and deletes, a sweep removes no named piece', async (t) => {
  const storeDir = await mkdtemp(path.join(tmpdir(), 'sealion-sweep-'));
  t.teardown(() => rm(storeDir, { recursive: true, force: true }));
  const first = await startNatsServer({ storeDir });
  const world = { server: first, storeDir };
  t.teardown(() => world.server.stop());
  const property = fc.asyncProperty(steps, steps, faults, sweepCuts, (one, two, broken, cuts) =>
    run(t, world, { writers: [one, two], broken, cuts }),
  );
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
  t.pass();
});

interface World {
  server: NatsServer;
  readonly storeDir: string;
}

interface Story {
  readonly writers: readonly Step[][];
  readonly broken: readonly Fault[];
  readonly cuts: readonly number[];
}

async function run(t: ExecutionContext, world: World, { writers, broken, cuts }: Story): Promise<void> {
  const bucket = `pieces-${randomUUID()}`;
  const closing: (() => unknown)[] = [];
  const open = async (proxied: boolean) => {
    const cutter = { cutIn: Number.POSITIVE_INFINITY };
    const proxy = await startCuttingProxy(world.server.port, () => {
      cutter.cutIn -= 1;
      if (cutter.cutIn > 0) return false;
      cutter.cutIn = Number.POSITIVE_INFINITY;
      return true;
    });
    const servers = proxied ? proxy.url : world.server.url;
    const connection = await connect({ servers, reconnectTimeWait: 5, maxReconnectAttempts: -1 });
    closing.push(async () => {
      await connection.close();
      proxy.close();
    });
    const options = { connection, bucket, putLimitMs: PUT_LIMIT_MS, requestLimitMs: 200, log: silentLogger };
    return { store: await openNatsPieceStore(options), connection, cutter };
  };
  try {
    const known = new Known();
    const [direct, writing, sweeping] = [await open(false), await open(true), await open(true)];
    for (let i = 0; i < OLD_PIECES; i += 1)
      await known.put(`old-${i}`, randomBytes(40), direct.store).catch(onlyRetryable);
    t.true(known.pieces.size > OLD_PIECES / 2);
    await sleep(ORPHAN_AGE_MS);
    const written = Promise.all(writers.map((own) => write(own, { bucket, ...writing, known })));
    const injected = inject(world, broken, writing.cutter);
    for (const cut of cuts) {
      sweeping.cutter.cutIn = cut;
      await sweeping.store.sweep({ olderThanMs: ORPHAN_AGE_MS, limit: 1_000 }).catch(onlyRetryable);
    }
    await Promise.all([written, injected]);
    await sleep(ORPHAN_AGE_MS);
    const after = await open(false);
    await again(() => check(t, { ...after, bucket, known }));
  } finally {
    for (const close of closing) await close();
  }
}

async function inject(world: World, broken: readonly Fault[], writers: { cutIn: number }): Promise<void> {
  for (const { afterMs, kind, message } of broken) {
    await sleep(afterMs);
    if (kind === 'cut') writers.cutIn = message;
    else await restart(world);
  }
}

/** What is certainly stored: acknowledged, and no delete has begun since the put did. */
class Known {
  readonly pieces = new Map<string, Uint8Array>();
  readonly #deletes = new Map<string, number>();
  #deleting = 0;

  async put(key: string, bytes: Uint8Array, store: PieceStore): Promise<void> {
    const deletes = this.#deletes.get(key);
    const clear = this.#deleting === 0;
    await store.put(key, bytes);
    if (clear && this.#deletes.get(key) === deletes) this.pieces.set(key, bytes);
  }

  async delete(key: string, store: PieceStore): Promise<void> {
    this.pieces.delete(key);
    this.#deletes.set(key, (this.#deletes.get(key) ?? 0) + 1);
    this.#deleting += 1;
    await store.delete(key).finally(() => {
      this.#deleting -= 1;
    });
  }
}

interface Writer {
  readonly bucket: string;
  readonly store: PieceStore;
  readonly connection: NatsConnection;
  readonly known: Known;
}

async function write(own: Step[], { bucket, store, connection, known }: Writer): Promise<void> {
  for (const { kind, key, afterMs } of own) {
    await sleep(afterMs);
    const done =
      kind === 'put'
        ? known.put(key, randomBytes(40), store)
        : kind === 'delete'
          ? known.delete(key, store)
          : abandon(connection, bucket, key);
    await done.catch((error: unknown) => {
      if (toSealionError(error).code !== 'piece-exists') onlyRetryable(error);
    });
  }
}

/** What a process leaves that dies before it names its chunks. */
async function abandon(connection: NatsConnection, bucket: string, key: string): Promise<void> {
  const subject = `$O.${bucket}.C.${nuid.next()}`;
  await jetstream(connection, { timeout: 200 })
    .publish(subject, randomBytes(40), { headers: chunkHeaders(key) })
    .catch(() => undefined);
}

function onlyRetryable(error: unknown): void {
  if (!(error instanceof Retryable)) throw error;
}

/** On a machine that stalls, anything may take longer than its limit, without any cut. */
async function again(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Retryable) || tries === 5) throw error;
    }
  }
}

async function restart(world: World): Promise<void> {
  const { port } = world.server;
  await world.server.kill();
  world.server = await startNatsServer({ port, storeDir: world.storeDir });
}

async function check(t: ExecutionContext, { store, connection, bucket, known }: Writer): Promise<void> {
  for (const [key, bytes] of known.pieces) t.deepEqual(await store.get(key), new Uint8Array(bytes), key);
  let named = 0;
  for await (const { key } of store.list()) {
    await store.get(key);
    named += 1;
  }
  await store.sweep({ olderThanMs: ORPHAN_AGE_MS, limit: 1_000 });
  const { streams } = await jetstreamManager(patient(connection));
  const info = await streams.info(`OBJ_${bucket}`, { subjects_filter: `$O.${bucket}.C.>` });
  t.is(Object.keys(info.state.subjects ?? {}).length, named, 'orphans go in the end');
}
