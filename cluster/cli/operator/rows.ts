import { formatJobId } from '#protocols/job/identity';
import type { AuditEntry } from '#runtime/records/audit';
import type { JobRecord } from '#runtime/records/records';
import { troublesOf } from '../../admin/report/troubles.ts';
import type { NodeReport } from '../../admin/view/node-report.ts';
import type { PeerReport } from '../../admin/view/peer-report.ts';
import { duration, size, timestamp } from '../units.ts';

/** What is listed, as rows of text below a heading. `now` is unix ms. */

export const NODE_HEADING = ['NODE', 'STATE', 'UP', 'JOBS', 'DURABILITY', 'VERSION', 'ROLES', 'TROUBLE'];

export function nodeRow(report: NodeReport, now: number): string[] {
  const { node, since, load, durability, version, roles } = report;
  return [
    node,
    stateOf(report),
    duration(now - since),
    `${load.jobs.inWork} of ${load.jobs.allowed}`,
    durability,
    version,
    roles.join(','),
    troublesOf(report)
      .map(({ what }) => what)
      .join('; '),
  ];
}

export function silentRow(node: string): string[] {
  return [node, 'does not answer'];
}

function stateOf({ fenced, paused, readiness }: NodeReport): string {
  if (fenced) return 'fenced';
  return paused && readiness === 'ready' ? 'ready, paused' : readiness;
}

export const JOB_HEADING = ['JOB', 'STATE', 'SIZE', 'CREATED', 'NEXT TRY', 'OBJECT AND FAILURE'];

export function jobRow(record: JobRecord, now: number): string[] {
  const { job, state, payloadSize, createdAt, bucketName, objectName, failure } = record;
  const nextTryAt = failure?.nextTryAt;
  return [
    formatJobId(job),
    state,
    size(payloadSize),
    `${duration(now - createdAt)} ago`,
    nextTryAt === undefined ? '' : `in ${duration(nextTryAt - now)}`,
    `${bucketName}/${objectName}${failure ? `  ${failure.message} (${failure.code})` : ''}`,
  ];
}

export const PEER_HEADING = [
  'SP',
  'STATUS',
  'WIRE',
  'ANSWERED',
  'APPROVED',
  'REFUSED',
  'SILENT',
  'SENT',
  'RECEIVED',
  'NOTES',
];

export function peerRow(peer: PeerReport, now: number): string[] {
  const { spId, status = '', wire = '', answeredAt, approvals, columnsOut, columnsIn } = peer;
  return [
    String(spId),
    status,
    wire,
    answeredAt === undefined ? 'never' : `${duration(now - answeredAt)} ago`,
    String(approvals.given),
    String(sum(approvals.refused)),
    String(approvals.silent),
    traffic(columnsOut),
    traffic(columnsIn),
    notesOn(peer, now),
  ];
}

function traffic({ done, failed, bytes }: PeerReport['columnsOut']): string {
  const failures = sum(failed);
  return `${done} (${size(bytes)})${failures > 0 ? `, ${failures} failed` : ''}`;
}

function notesOn(peer: PeerReport, now: number): string {
  const { bannedUntil, approvals, fetched, served, lastError } = peer;
  const reasons = Object.entries(approvals.refused).map(([reason, times]) => `${reason} ×${times}`);
  return [
    bannedUntil !== undefined && bannedUntil > now && `banned for ${duration(bannedUntil - now)}`,
    reasons.length > 0 && `refused: ${reasons.join(', ')}`,
    isUsed(fetched) && `fetched for repairs: ${traffic(fetched)}`,
    isUsed(served) && `served for repairs: ${traffic(served)}`,
    lastError && `last error ${duration(now - lastError.at)} ago: ${lastError.message} (${lastError.code})`,
  ]
    .filter(Boolean)
    .join('; ');
}

function isUsed({ done, failed }: PeerReport['fetched']): boolean {
  return done > 0 || sum(failed) > 0;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, each) => total + each, 0);
}

export const AUDIT_HEADING = ['WHEN', 'WHO', 'ACTION', 'TARGET', 'DONE', 'OUTCOME'];

export function auditRow({ at, who, action, target, isDone, outcome, reason }: AuditEntry): string[] {
  return [
    timestamp(at / 1_000),
    who,
    action,
    target,
    isDone ? 'yes' : 'no',
    `${outcome}${reason === undefined ? '' : `  (reason: ${reason})`}`,
  ];
}
