import { isTerminal, JOB_STATE_NAMES, type JobStateName } from '#protocols/job/states';
import type { AuditEntry } from '#runtime/records/audit';
import type { JobRecord } from '#runtime/records/records';
import type { JobView } from '../../admin/view/job-view.ts';
import type { NodeReports } from '../../admin/view/node-report.ts';
import type { PeerReport } from '../../admin/view/peer-report.ts';
import type { SearchHit } from '../../admin/view/provider-view.ts';
import type { Reporter } from '../reporter.ts';
import { count } from '../units.ts';
import { openAdmin } from './admin.ts';
import type { AdminOptions } from './admin-url.ts';
import { findJob } from './find-job.ts';
import { jobLines } from './job-lines.ts';
import {
  AUDIT_HEADING,
  auditRow,
  JOB_HEADING,
  jobRow,
  NODE_HEADING,
  nodeRow,
  PEER_HEADING,
  peerRow,
  silentRow,
} from './rows.ts';
import { tableLines } from './table.ts';

/** Jobs in these states have not ended. */
export const OPEN_STATES: readonly JobStateName[] = JOB_STATE_NAMES.filter((state) => !isTerminal(state));

/** A row of a list, and the same for machines. */
interface Listed {
  readonly row: readonly string[];
  readonly fields: { readonly event: string } & Readonly<Record<string, unknown>>;
}

/** `sealion nodes`: what each node of the SP says of itself. */
export async function nodes(options: AdminOptions, report: Reporter, signal: AbortSignal): Promise<void> {
  const api = await openAdmin(options, 'view');
  const { reports, silent } = await api.get<NodeReports>('/api/nodes', signal);
  const now = Date.now();
  list(
    'node',
    NODE_HEADING,
    [
      ...reports.map((each) => ({ row: nodeRow(each, now), fields: { ...each, event: 'node' } })),
      ...silent.map((node) => ({ row: silentRow(node), fields: { event: 'silent', node } })),
    ],
    report,
  );
}

export interface JobsOptions extends AdminOptions {
  readonly state?: readonly JobStateName[];
  readonly open?: boolean;
  readonly limit: number;
}

/** `sealion jobs [TEXT]`: the newest jobs, or those that a text may mean. */
export async function jobs(
  text: string | undefined,
  { limit, open, state = open ? OPEN_STATES : undefined, ...options }: JobsOptions,
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const api = await openAdmin(options, 'view');
  let found: readonly JobRecord[];
  if (text === undefined) {
    const states = state ? `&state=${state.join(',')}` : '';
    found = await api.get(`/api/jobs?limit=${limit}${states}`, signal);
  } else {
    const hits = await api.get<readonly SearchHit[]>(`/api/search?q=${encodeURIComponent(text)}`, signal);
    found = hits
      .flatMap(({ job }) => job ?? [])
      .filter((job) => !state || state.includes(job.state))
      .slice(0, limit);
  }
  const now = Date.now();
  list(
    'job',
    JOB_HEADING,
    found.map((each) => ({ row: jobRow(each, now), fields: { ...each, event: 'job' } })),
    report,
  );
}

/** `sealion job ID`: all that is known of a job, and why it is not sealed. */
export async function job(
  text: string,
  options: AdminOptions,
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const api = await openAdmin(options, 'view');
  const view = await api.get<JobView>(`/api/jobs/${await findJob(api, text, signal)}`, signal);
  report.line(jobLines(view, Date.now()), { ...view, event: 'job' });
}

/** `sealion peers`: other SPs, as the nodes of this one know them. */
export async function peers(options: AdminOptions, report: Reporter, signal: AbortSignal): Promise<void> {
  const api = await openAdmin(options, 'view');
  const found = await api.get<readonly PeerReport[]>('/api/peers', signal);
  const now = Date.now();
  list(
    'provider',
    PEER_HEADING,
    found.map((each) => ({ row: peerRow(each, now), fields: { ...each, event: 'peer' } })),
    report,
  );
}

/** `sealion audit`: what operators have done, the newest first. */
export async function audit(
  { limit, ...options }: AdminOptions & { readonly limit: number },
  report: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const api = await openAdmin(options, 'view');
  const found = await api.get<readonly AuditEntry[]>(`/api/audit?limit=${limit}`, signal);
  list(
    'action',
    AUDIT_HEADING,
    found.map((each) => ({ row: auditRow(each), fields: { ...each, event: 'action' } })),
    report,
  );
}

/** A heading, a line for each, and how many there are. */
function list(noun: string, heading: readonly string[], listed: readonly Listed[], report: Reporter): void {
  const [first = '', ...rows] = tableLines([heading, ...listed.map(({ row }) => row)]);
  for (const [index, { fields }] of listed.entries()) {
    const line = rows[index] ?? '';
    report.line(index === 0 ? [first, line] : line, fields);
  }
  report.line(count(listed.length, noun), { event: 'listed', [`${noun}s`]: listed.length });
}
