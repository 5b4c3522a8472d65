import { isWrongLastSequence } from '../nats/errors.ts';
import { type Bucket, deleteMessage, purgeChunks } from './bucket.ts';
import { formatHold, metaSubject, readMeta } from './object-layout.ts';

/** A put whose chunks are old enough that it cannot be under way, and that no list shows to be a piece. */
export interface Suspect {
  readonly key: string;
  readonly nuid: string;
  /** Chunks that stay, the last ones: what a pass may purge is bounded. */
  readonly keep: number;
}

/**
 * Purges the chunks of a put when its name is certainly not its own: either the name is free, and is held until the
 * chunks are gone, or it holds another put. A plain question would not do: to "the last message of this subject"
 * the server answers "none" also when it fails to read its store (nats-server, `jsMsgGetRequest`), and a meta
 * may be written between the answer and the purge. A message that expects an empty subject is refused in both cases
 * (`processJetStreamMsg`).
 * @returns chunks purged; 0 without a definite answer
 */
export async function purgeOrphan(bucket: Bucket, suspect: Suspect): Promise<number> {
  const hold = await holdName(bucket, suspect);
  if (hold === undefined) return (await isAnother(bucket, suspect)) ? purge(bucket, suspect) : 0;
  try {
    return await purge(bucket, suspect);
  } finally {
    await deleteMessage(bucket, hold);
  }
}

function purge(bucket: Bucket, { nuid, keep }: Suspect): Promise<number> {
  return purgeChunks(bucket, nuid, keep);
}

/** @returns the sequence of the hold; undefined when the name is not free */
async function holdName(bucket: Bucket, { key, nuid }: Suspect): Promise<number | undefined> {
  try {
    const ack = await bucket.client.publish(
      metaSubject(bucket.name, key),
      formatHold(bucket.name, key, nuid),
      { expect: { lastSubjectSequence: 0 } },
    );
    return ack.seq;
  } catch (error) {
    if (isWrongLastSequence(error)) return undefined;
    throw error;
  }
}

/** Whether the name is seen to hold another put, or a hold of ours that an interrupted sweep has left. */
async function isAnother({ name, manager, stream }: Bucket, { key, nuid }: Suspect): Promise<boolean> {
  // of the leader: a replica may not know of a put yet
  const message = await manager.streams.getMessage(stream, { last_by_subj: metaSubject(name, key) });
  const info = message && readMeta(message.data);
  return info?.name === key && (info.nuid !== nuid || info.deleted);
}
