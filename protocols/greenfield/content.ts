import type { GlobalVirtualGroup, Hex, ObjectOnChain } from './types.ts';

/**
 * One announcement on chain: what an object, or an update of it, is going to hold. A version number alone does not
 * name it, because the chain gives the number of a cancelled update to the next one.
 */
export interface Announcement {
  /** Unix seconds of the block that announced it. The storage parameters of this time hold for the content. */
  readonly announcedAt: number;
  /** Bytes. */
  readonly payloadSize: number;
  /** Seven integrity hashes, primary first; empty for a delegated upload until its seal. */
  readonly checksums: readonly Hex[];
}

/** The content of one version of an object. */
export interface Content extends Announcement {
  readonly version: number;
  readonly contentType: string;
}

/** What the chain says of one version of an object. */
export type VersionOnChain =
  /** Announced: it waits for its payload and its seal. */
  | { readonly kind: 'waiting'; readonly content: Content }
  /** What readers get. An update may be waiting beside it. */
  | { readonly kind: 'sealed'; readonly content: Content; readonly gvg?: GlobalVirtualGroup }
  /** A later version was sealed in its place. */
  | { readonly kind: 'replaced'; readonly by: Content }
  /** The object was deleted, rejected or discontinued, with all its versions. */
  | { readonly kind: 'gone'; readonly because: string }
  /** The object has no such version: the update was cancelled, or our chain node is behind its announcement. */
  | { readonly kind: 'unannounced' };

/**
 * Which content a version of an object means, since when, and with which checksums: the only place that answers this.
 * @param onChain what an up-to-date node says; undefined when it knows no such object
 */
export function versionOnChain(onChain: ObjectOnChain | undefined, version: number): VersionOnChain {
  if (!onChain) return { kind: 'gone', because: 'the object is gone from the chain' };
  const { object, gvg, update } = onChain;
  if (object.status === 'DISCONTINUED') return { kind: 'gone', because: 'the object is discontinued' };
  const content = currentContent(onChain);
  if (object.version > version) return { kind: 'replaced', by: content };
  if (object.version === version) {
    if (object.status === 'CREATED') return { kind: 'waiting', content };
    return { kind: 'sealed', content, ...(gvg && { gvg }) };
  }
  if (update?.version !== version) return { kind: 'unannounced' };
  return { kind: 'waiting', content: { ...update, announcedAt: update.updatedAt } };
}

/** What an object holds, or is going to hold, without a pending update. */
export function currentContent({ object }: Pick<ObjectOnChain, 'object'>): Content {
  const { version, payloadSize, contentType, checksums, createdAt, updatedAt } = object;
  return { version, payloadSize, contentType, checksums, announcedAt: updatedAt || createdAt };
}

/** What an object waits for: the pending update where there is one, else its own content. */
export function awaitedContent(onChain: ObjectOnChain): Content {
  const { update } = onChain;
  return update ? { ...update, announcedAt: update.updatedAt } : currentContent(onChain);
}

/** True when both are the same announcement; one may know checksums that came only with the seal. */
export function isSameAnnouncement(a: Announcement, b: Announcement): boolean {
  const delegated = a.checksums.length === 0 || b.checksums.length === 0;
  return (
    a.announcedAt === b.announcedAt &&
    a.payloadSize === b.payloadSize &&
    (delegated || sameChecksums(a.checksums, b.checksums))
  );
}

export function sameChecksums(a: readonly Hex[], b: readonly Hex[]): boolean {
  return a.length === b.length && a.every((checksum, index) => checksum === b[index]);
}
