import type { JobEvent } from '#protocols/job/events';
import type { ApprovalView, ColumnView, JobView } from '../../admin/view/job-view.ts';
import { treeLines } from '../tree-view.ts';
import { duration, size } from '../units.ts';
import { tableLines } from './table.ts';

/** All that is known of a job, as lines of text: why it is not sealed first. @param now unix ms */
export function jobLines(view: JobView, now: number): string[] {
  const { why, advice, context, owner, actors, columns, approvals, seal, nextTryAt, events } = view;
  const { object, allocation } = context;
  const facts: (readonly [string, string] | false | undefined)[] = [
    ['job', view.job],
    ['object', `${object.bucketName}/${object.objectName}`],
    ['payload', `${size(object.payloadSize)}, ${object.redundancy}`],
    ['state', `${context.state} for ${duration(now - context.changedAt)}`],
    allocation && ['group', String(allocation.gvgId)],
    ['owner', owner ? `${owner.node} for ${duration(now - owner.since)}` : 'nobody at the moment'],
    nextTryAt !== undefined && ['next try', `in ${duration(nextTryAt - now)}`],
    seal && ['seal', `${seal.transactionHash}, ${seal.tries} signed`],
  ];
  return [
    why,
    ...(advice === undefined ? [] : [advice]),
    '',
    ...tableLines(facts.filter((fact) => fact !== false && fact !== undefined)),
    ...section('Columns', tableLines(columns.map((column) => columnRow(column, now)))),
    ...section('Approvals', tableLines(approvals.map((approval) => approvalRow(approval, now)))),
    ...section(
      'Actors',
      actors.flatMap((actor) => treeLines(actor, now)),
    ),
    ...section('Events', tableLines(events.map(eventRow))),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function columnRow(column: ColumnView, now: number): string[] {
  const { redundancyIndex, spId, state, activity, lastError, bytesPerSecond, receipt } = column;
  const progress = activity?.progress;
  const done = progress && `${progress.done} of ${progress.total} ${progress.unit}`;
  return [
    `column ${redundancyIndex}`,
    `sp ${spId}`,
    state,
    [
      activity?.doing,
      done,
      bytesPerSecond !== undefined && `${size(bytesPerSecond)}/s`,
      activity?.waitsFor !== undefined && `waits for ${activity.waitsFor}`,
      activity && `for ${duration(now - activity.since)}`,
      receipt && signatures(receipt),
      lastError && `last error: ${lastError.message} (${lastError.code})`,
    ]
      .filter(Boolean)
      .join(', '),
  ];
}

function signatures({ approvalSignature, blsSignature }: NonNullable<ColumnView['receipt']>): string {
  const said = (name: string, checked: boolean) => `${name} signature ${checked ? 'checked' : 'not checked'}`;
  return [
    ...(approvalSignature ? [said('approval', approvalSignature.checked)] : []),
    said('seal', blsSignature.checked),
  ].join(', ');
}

function approvalRow({ spId, approved, reason, expiresAt }: ApprovalView, now: number): string[] {
  const until = expiresAt === undefined ? '' : remaining(expiresAt - now);
  return [`sp ${spId}`, approved ? 'approved' : 'refused', reason ?? until];
}

function remaining(ms: number): string {
  return ms > 0 ? `valid for ${duration(ms)}` : 'expired';
}

function eventRow(event: JobEvent): string[] {
  const at = new Date(event.at).toISOString().replace('T', ' ');
  const failure =
    'failure' in event ? event.failure : 'rejectFailure' in event ? event.rejectFailure : undefined;
  return [at, event.type, failure ? `${failure.message} (${failure.code})` : ''];
}
