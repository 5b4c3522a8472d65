import { randomBytes } from 'node:crypto';
import type { JobId } from '#protocols/job/identity';
import { formatJobId, parseJobId } from '#protocols/job/identity';

/**
 * Subjects of the peers plane (ARCHITECTURE.md#the-two-nats-planes). Each names the receiver before the sender, on
 * which the permissions are based.
 */

/** Subscription for all asks. */
export const ASKS = 'approval.ask.*';

/** Subject on which an SP broadcasts its asks. */
export function askSubject(from: number): string {
  return `approval.ask.${from}`;
}

/** One column between two SPs. */
export interface ColumnId {
  readonly job: JobId;
  readonly redundancyIndex: number;
  /** SP ids. */
  readonly from: number;
  readonly to: number;
}

export type MailKind = 'offer' | 'receipt';

/** All messages of a kind for one SP, from any sender. */
export function mailbox(kind: MailKind, to: number): string {
  return `peer.${to}.${kind}.>`;
}

/** All messages of a kind from one SP to another. */
export function mailFrom(kind: MailKind, { from, to }: Pick<ColumnId, 'from' | 'to'>): string {
  return `peer.${to}.${kind}.${from}.>`;
}

/** `peer.<to>.<kind>.<from>.<object id>.<version>.<redundancy index>` */
export function mailSubject(kind: MailKind, column: ColumnId): string {
  const { job, redundancyIndex, from, to } = column;
  return `peer.${to}.${kind}.${from}.${formatJobId(job)}.${redundancyIndex}`;
}

const MAIL = /^peer\.(\d{1,9})\.(?:offer|receipt)\.(\d{1,9})\.(\d+\.\d+)\.(\d{1,3})$/;

/** Reads what `mailSubject` wrote; undefined for anything else. */
export function parseMailSubject(subject: string): ColumnId | undefined {
  const [, to, from, job, index] = MAIL.exec(subject) ?? [];
  if (!to || !from || !job || !index) return undefined;
  try {
    return { job: parseJobId(job), redundancyIndex: Number(index), from: Number(from), to: Number(to) };
  } catch {
    return undefined;
  }
}

/** Kinds of messages within a session, by the sender of the column and by its receiver. */
export type SessionWord = 'piece' | 'demand' | 'done' | 'answer' | 'credit' | 'abort';

/** `session.<to>.<from>.<token>`: one end of a session, to which SP `to` subscribes. */
export function sessionSubject(to: number, from: number, token: string): string {
  return `session.${to}.${from}.${token}`;
}

/** The channel on which an SP receives small columns. */
export const COLUMNS = 'columns';

/**
 * `session.<to>.<from>.<place>.bundle`: the subject on which SP `to` receives bundles. The place is a channel that all
 * its nodes share, or the token of one of them.
 */
export function bundleSubject(to: number, from: number | '*', place: string): string {
  return `session.${to}.${from}.${place}.bundle`;
}

/** The sender of a bundle, from its subject. */
export function bundleSender(subject: string): number | undefined {
  const [, from] = /^session\.\d{1,9}\.(\d{1,9})\.[a-z0-9]+\.bundle$/.exec(subject) ?? [];
  return from === undefined ? undefined : Number(from);
}

/** `recovery.<to>.<from>`: requests to SP `to` for stored pieces. */
export function recoverySubject(to: number, from: number): string {
  return `recovery.${to}.${from}`;
}

/** Subscription for the requests of all other SPs. */
export function recoveryRequests(to: number): string {
  return `recovery.${to}.*`;
}

/** The last token of a subject, for example the kind of a session's message. */
export function lastToken(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/** A token that nobody can guess: 128 random bits, hex. */
export function newToken(): string {
  return randomBytes(16).toString('hex');
}
