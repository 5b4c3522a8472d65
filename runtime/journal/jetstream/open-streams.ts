import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamManager, StorageType, type StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Retryable, Terminal } from '#protocols/errors';
import { isJetStreamError, JetStreamCode } from '../../nats/errors.ts';
import { patientManager } from '../../nats/patient.ts';
import { ensureStream, setupError } from '../../nats/streams.ts';
import { StreamStore, unavailable } from './stream-store.ts';
import { STREAMS } from './subjects.ts';

/** Beginning of the description of the stream `JOURNAL`. The journal's id follows, and is thus lost with the stream. */
const IDENTITY = 'Sealion journal ';

/** Time limit for several nodes to agree on a new stream, ms. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 100;

export interface JournalStreams {
  /** UUID of the journal. */
  readonly id: string;
  readonly events: StreamStore;
  readonly index: StreamStore;
  readonly ledger: StreamStore;
}

/** Opens the streams of the journal, and creates those that are missing. @throws as `openJetStreamJournal` */
export async function openStreams(connection: NatsConnection, replicas: number): Promise<JournalStreams> {
  const manager = await patientManager(connection, 'opening the journal', 'journal-unavailable');
  const settings = { storage: StorageType.File, num_replicas: replicas, allow_direct: true };
  const last = { ...settings, max_msgs_per_subject: 1 };
  const id = await identityOf(manager, settings);
  const open = (stream: string) => StreamStore.open({ connection, stream, replicas });
  await ensureStream(manager, { ...settings, ...stream('events') });
  await ensureStream(manager, { ...last, ...stream('index') });
  await ensureStream(manager, { ...last, ...stream('ledger') });
  return {
    id,
    events: await open(STREAMS.events.name),
    index: await open(STREAMS.index.name),
    ledger: await open(STREAMS.ledger.name),
  };
}

function stream(which: keyof typeof STREAMS): { name: string; subjects: string[] } {
  const { name, subjects } = STREAMS[which];
  return { name, subjects: [...subjects] };
}

/**
 * Creates the stream `JOURNAL` if it does not exist, and returns its id. If several nodes create it concurrently, the
 * first one decides the id; a cluster of servers may answer the others late or never.
 */
async function identityOf(manager: JetStreamManager, settings: { num_replicas: number }): Promise<string> {
  const { name } = STREAMS.events;
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await manager.streams.info(name).catch((error: unknown) => {
      if (isJetStreamError(error, JetStreamCode.STREAM_NOT_FOUND)) return undefined;
      throw unavailable(error, `looking up the stream ${name}`);
    });
    if (found) return identityIn(found);
    try {
      const description = IDENTITY + randomUUID();
      return identityIn(await manager.streams.add({ ...settings, ...stream('events'), description }));
    } catch (thrown) {
      const error = setupError(thrown, `stream ${name}`);
      const isBusy = error instanceof Retryable || isJetStreamError(thrown, JetStreamCode.STREAM_EXISTS);
      if (!isBusy || performance.now() > giveUpAt) throw error;
    }
    await sleep(LOOK_MS);
  }
}

function identityIn({ config }: StreamInfo): string {
  const { name, description = '' } = config;
  if (description.startsWith(IDENTITY)) return description.slice(IDENTITY.length);
  throw new Terminal({
    code: 'stream-unfit',
    message: `The stream ${name} exists, but is not a journal of Sealion.`,
    advice: 'Use another account for this SP, or remove the stream.',
  });
}
