import { isWrongLastSequence } from '../nats/errors.ts';
import { type Bucket, deleteMessage, purgeChunks } from './bucket.ts';
import { formatHold, metaSubject, readMeta } from './object-layout.ts';

/** A put whose chunks are too old for it to be in progress, and which is not in the list of pieces. */
export interface Suspect {
  readonly key: string;
  readonly nuid: string;
  /** Number of last chunks to keep: a pass may purge only a limited number. */
  readonly keep: number;
}

/**
 * Purges the chunks of a put if the name certainly does not belong to it: either the name is free, and is held
 * until the chunks are gone, or it has another put. A plain query is not enough: asked for the last message of a
 * subject, the server answers "none" also when it fails to read its store (nats-server, `jsMsgGetRequest`), and a
 * meta may be written between the answer and the purge. A message that expects an empty subject is refused in both
 * cases (`processJetStreamMsg`).
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

/** True when the name has another put, or a hold of ours left by an interrupted sweep. */
async function isAnother({ name, manager, stream }: Bucket, { key, nuid }: Suspect): Promise<boolean> {
  // from the leader: a replica may not know of a put yet
  const message = await manager.streams.getMessage(stream, { last_by_subj: metaSubject(name, key) });
  const info = message && readMeta(message.data);
  return info?.name === key && (info.nuid !== nuid || info.deleted);
}
