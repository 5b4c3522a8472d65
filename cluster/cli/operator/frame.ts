import { throwIfAborted, toSealionError } from '#protocols/errors';
import { formatJobId } from '#protocols/job/identity';
import type { JobRecord } from '#runtime/records/records';
import type { NodeReports } from '../../admin/view/node-report.ts';
import type { QueueReport } from '../../admin/view/provider-view.ts';
import type { Trees } from '../../admin/view/trees.ts';
import type { AdminApi } from '../../client/admin-api.ts';
import { treeLines } from '../tree-view.ts';
import { duration } from '../units.ts';
import { JOB_HEADING, jobRow, NODE_HEADING, nodeRow, silentRow } from './rows.ts';
import { OPEN_STATES } from './show.ts';
import { tableLines } from './table.ts';

export type Shown = 'jobs' | 'tree';

/** What `sealion watch` shows at one time. */
export interface Moment {
  /** Unix ms. */
  readonly at: number;
  readonly nodes: NodeReports;
  /** Absent, as `jobs` is, while the SQL DB does not answer. */
  readonly queue?: QueueReport;
  readonly jobs?: readonly JobRecord[];
  readonly trees?: Trees;
  /** Why something is absent. */
  readonly missing?: string;
}

const JOBS_LIMIT = 200;

/** @throws Retryable `no-node`, and whatever the admin server refuses with */
export async function readMoment(api: AdminApi, shown: Shown, signal: AbortSignal): Promise<Moment> {
  const nodes = await api.get<NodeReports>('/api/nodes', signal);
  const at = Date.now();
  try {
    const queue = await api.get<QueueReport>('/api/queue', signal);
    if (shown === 'tree') return { at, nodes, queue, trees: await api.get<Trees>('/api/trees', signal) };
    const path = `/api/jobs?limit=${JOBS_LIMIT}&state=${OPEN_STATES.join(',')}`;
    return { at, nodes, queue, jobs: await api.get<readonly JobRecord[]>(path, signal) };
  } catch (thrown) {
    throwIfAborted(signal);
    const { message, code } = toSealionError(thrown);
    const trees = shown === 'tree' && { trees: await api.get<Trees>('/api/trees', signal) };
    return { at, nodes, missing: `${message} (${code})`, ...trees };
  }
}

/** The overview, which is always in sight, and the list below it, which may be longer than the screen. */
export interface Frame {
  readonly head: readonly string[];
  readonly body: readonly string[];
}

export function frameOf({ at, nodes, queue, jobs, trees, missing }: Moment): Frame {
  const rows = [
    NODE_HEADING,
    ...nodes.reports.map((report) => nodeRow(report, at)),
    ...nodes.silent.map(silentRow),
  ];
  const body = trees
    ? [
        ...trees.trees.flatMap((tree) => treeLines(tree, at)),
        ...trees.silent.map((node) => `${node}  does not answer`),
      ]
    : tableLines(jobs && jobs.length > 0 ? [JOB_HEADING, ...jobs.map((job) => jobRow(job, at))] : []);
  return {
    head: [
      `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`,
      '',
      ...tableLines(rows),
      '',
      ...(queue ? [queueLine(queue, at)] : []),
      ...(missing === undefined ? [] : [missing]),
      '',
    ],
    body,
  };
}

function queueLine({ waiting, oldest }: QueueReport, now: number): string {
  const states = Object.entries(waiting).filter(([, number]) => number > 0);
  if (states.length === 0) return 'No job is open.';
  const counts = states.map(([state, number]) => `${number} ${state}`).join(', ');
  const age = oldest && `; the oldest, ${formatJobId(oldest.job)}, for ${duration(now - oldest.createdAt)}`;
  return `Open jobs: ${counts}${age ?? ''}`;
}
