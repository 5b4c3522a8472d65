import { formatJobId, type JobId, parseJobId } from '#protocols/job/identity';

const EVENTS = 'journal.object.';
const OPEN = 'journal.open.';
const ENDED = 'journal.ended.';
const LEDGER = 'ledger.';

/** Streams of the journal with the subjects that each of them holds. */
export const STREAMS = {
  /** The events: `journal.object.<object id>.<version>.<n>` */
  events: { name: 'JOURNAL', subjects: [`${EVENTS}>`] },
  /** `journal.open.<object id>.<version>` and `journal.ended.<unix ms>.<object id>.<version>`, without content. */
  index: { name: 'JOURNAL_INDEX', subjects: [`${OPEN}>`, `${ENDED}>`] },
  /** `ledger.<key>` */
  ledger: { name: 'LEDGER', subjects: [`${LEDGER}>`] },
} as const;

export function eventSubject(job: JobId, n: number): string {
  return `${EVENTS}${formatJobId(job)}.${n}`;
}

/** All events of a job. */
export function eventsFilter(job: JobId): string {
  return `${EVENTS}${formatJobId(job)}.*`;
}

export function parseEventSubject(subject: string): { readonly job: JobId; readonly n: number } {
  const [objectId, version, n] = subject.slice(EVENTS.length).split('.');
  return { job: parseJobId(`${objectId}.${version}`), n: Number(n) };
}

export const ALL_OPEN = `${OPEN}>`;
export const ALL_ENDED = `${ENDED}>`;

export function openSubject(job: JobId): string {
  return OPEN + formatJobId(job);
}

export function parseOpenSubject(subject: string): JobId {
  return parseJobId(subject.slice(OPEN.length));
}

/** @param at unix ms of the event that ended the job */
export function endedSubject(job: JobId, at: number): string {
  return `${ENDED}${at}.${formatJobId(job)}`;
}

export function endedFilter(job: JobId): string {
  return `${ENDED}*.${formatJobId(job)}`;
}

export function parseEndedSubject(subject: string): { readonly job: JobId; readonly at: number } {
  const [at, objectId, version] = subject.slice(ENDED.length).split('.');
  return { job: parseJobId(`${objectId}.${version}`), at: Number(at) };
}

/**
 * The subject of a key. Slashes separate tokens; bytes with a meaning in NATS subjects are escaped as `=` and two hex
 * digits, and an empty token is written as `=`.
 */
export function ledgerSubject(key: string): string {
  return LEDGER + key.split('/').map(token).join('.');
}

/** A subject that matches all keys with the prefix, and perhaps others. */
export function ledgerFilter(prefix: string): string {
  const whole = prefix.split('/').slice(0, -1);
  return `${LEDGER}${whole.map((part) => `${token(part)}.`).join('')}>`;
}

export function parseLedgerSubject(subject: string): string {
  return subject.slice(LEDGER.length).split('.').map(part).join('/');
}

function token(text: string): string {
  if (text === '') return '=';
  return text.replace(/[^A-Za-z0-9_-]+/g, (other) =>
    [...Buffer.from(other)].map((byte) => `=${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

function part(text: string): string {
  if (text === '=') return '';
  return text.replace(/(?:=[0-9a-f]{2})+/g, (bytes) =>
    Buffer.from(bytes.replaceAll('=', ''), 'hex').toString(),
  );
}
