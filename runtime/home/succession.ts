import { randomUUID } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { Retryable, Terminal } from '#protocols/errors';
import { isWrongLastSequence, natsError } from '../nats/errors.ts';
import { patient, patientManager } from '../nats/patient.ts';
import { ensureStream } from '../nats/streams.ts';
import type { Directory } from './home.ts';

const STREAM = 'NODES';
const SUBJECT = 'node.started';

/** Longer than any lease: after this time a superseded node holds no lease any more. */
const ALONE_MS = 3_600_000;

/**
 * Which start of a node of this SP is the newest. An embedded journal cannot know that another node was started on
 * another folder while its own process was suspended; this port can.
 */
export interface Succession {
  /**
   * True when the starts before this one, for an hour at least, were all of the same node on the same journal.
   * Those have ended, since only one process at a time can open the journal: nobody holds their leases any more.
   */
  readonly continues: boolean;
  /**
   * @throws Terminal `journal-fenced` when a node was started after this one; Retryable `nats-unavailable` when
   * nobody can say
   */
  check(): Promise<void>;
  /**
   * Makes the stream again after it was lost. Of several nodes that know of no newer one, the first to write is the
   * newest.
   * @throws Retryable `nats-unavailable`; Terminal `stream-unfit`
   */
  restore(): Promise<void>;
}

export interface SuccessionOptions {
  /** Of the home plane; it stays the caller's. */
  readonly connection: NatsConnection;
  /** For example `sp-1@node-a`. */
  readonly node: string;
  /** Identity of the journal, which this process has open. */
  readonly journal: string;
  readonly replicas?: number;
  /** An answer counts for this long on the monotonic clock, ms. */
  readonly freshMs: number;
}

/** Makes this start the newest. @throws Retryable `nats-unavailable`; Terminal `stream-unfit` */
export async function succeed(options: SuccessionOptions): Promise<Succession> {
  const { connection, node, journal, freshMs, replicas = 1 } = options;
  const doing = 'asking which node of the SP is the newest';
  const manager = await patientManager(connection, doing);
  const client = jetstream(patient(connection));
  const ensure = () =>
    ensureStream(manager, {
      name: STREAM,
      subjects: [SUBJECT],
      max_msgs_per_subject: 1,
      num_replicas: replicas,
    });
  await ensure();
  const last = () =>
    manager.streams.getMessage(STREAM, { last_by_subj: SUBJECT }).catch((error: unknown) => {
      throw natsError(error, doing);
    });
  const before = await last();
  const now = Date.now();
  const earlier = before && (JSON.parse(before.string()) as Start);
  const isOurs = earlier?.node === node && earlier.journal === journal;
  const aloneSince = isOurs ? (earlier.aloneSince ?? now) : earlier ? now : 0;
  const start: Start = { node, journal, aloneSince, at: new Date(now).toISOString() };
  const body = JSON.stringify(start);
  // Sent again, it must not become another start.
  const msgID = randomUUID();
  let { seq } = await client.publish(SUBJECT, body, { msgID }).catch((error: unknown) => {
    throw natsError(error, doing);
  });
  let checkedAt = performance.now();
  let wasNewest = true;

  return {
    // Each start is one message: no other may have been written in between.
    continues: isOurs && before?.seq === seq - 1 && now - aloneSince >= ALONE_MS,
    async check() {
      if (performance.now() - checkedAt < freshMs) return;
      const askedAt = performance.now();
      const newest = await last();
      wasNewest = newest?.seq === seq && newest.string() === body;
      if (!wasNewest) throw superseded(node, newest?.string());
      checkedAt = askedAt;
    },
    async restore() {
      await ensure();
      if (!wasNewest) return;
      try {
        const expect = { lastSubjectSequence: 0 };
        seq = (await client.publish(SUBJECT, body, { msgID: randomUUID(), expect })).seq;
      } catch (error) {
        // another node was first, which the next check reports
        if (!isWrongLastSequence(error)) throw natsError(error, doing);
      }
    },
  };
}

/** The message in the stream. */
interface Start {
  readonly node: string;
  /** Absent where an older release wrote it, and so is the next. */
  readonly journal?: string;
  /** Unix ms since which no other node was started; 0 when there never was one. */
  readonly aloneSince?: number;
  /** ISO 8601, for people. */
  readonly at: string;
}

function superseded(node: string, newest: string | undefined): Terminal {
  return new Terminal({
    code: 'journal-fenced',
    message: `${node} has stopped writing: another node of the SP was started after it (${newest ?? 'unknown'}).`,
    advice: 'Run one node per SP with the level journal; stop this one.',
    gatewayCode: 115101,
  });
}

/**
 * The directory of the newest node: an owner that does not answer is an older, suspended one, which can no longer
 * write, so its jobs are free.
 */
export function succeedingDirectory(directory: Directory, succession: Succession): Directory {
  return {
    own: (job, answer) => directory.own(job, answer),
    async find(job, options) {
      try {
        return await directory.find(job, options);
      } catch (error) {
        if (!(error instanceof Retryable) || error.code !== 'owner-silent') throw error;
        await succession.check();
        return undefined;
      }
    },
  };
}
