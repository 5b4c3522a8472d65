import { formatJobId } from '#protocols/job/identity';
import type { JobStateName } from '#protocols/job/states';
import type { JobRecord } from '#runtime/records/records';
import { size } from '../../../cli/units.ts';
import type { NodeReports } from '../../view/node-report.ts';
import type { KeyBalance, QueueReport } from '../../view/provider-view.ts';
import { type Attempt, attempted } from '../components/attempt.tsx';
import { StateBadge } from '../components/badge.tsx';
import { Table } from '../components/table.tsx';
import { Time } from '../components/time.tsx';
import type { Fragments } from '../live/fragments.tsx';
import type { View } from '../view.ts';
import { Errors } from './errors.tsx';
import { Nodes } from './nodes.tsx';
import { Tiles } from './tiles.tsx';

export interface OverviewData {
  readonly nodes: Attempt<NodeReports>;
  readonly queue: Attempt<QueueReport>;
  readonly balances: Attempt<readonly KeyBalance[]>;
  readonly jobs: Attempt<readonly JobRecord[]>;
  readonly canAct: boolean;
  /** Unix ms. */
  readonly now: number;
}

export function overviewView(data: OverviewData): View {
  return { title: 'Overview', isLive: true, body: (live) => <Overview {...data} live={live} /> };
}

function Overview({ live, ...data }: OverviewData & { readonly live: Fragments }) {
  return (
    <>
      <h1>Overview</h1>
      <div id="tiles">{live.part('tiles', <Tiles {...data} />)}</div>
      <section class="box" aria-labelledby="nodes-title">
        <h2 id="nodes-title">Nodes</h2>
        {attempted(data.nodes, (reports) => (
          <Nodes {...reports} live={live} canAct={data.canAct} now={data.now} />
        ))}
      </section>
      <div class="columns">
        <section class="box" aria-labelledby="queue-title">
          <h2 id="queue-title">Jobs that have not ended</h2>
          <div id="queue">{live.part('queue', attempted(data.queue, queue))}</div>
        </section>
        <section class="box" aria-labelledby="errors-title">
          <h2 id="errors-title">Errors of the last hour</h2>
          <div id="errors">
            {live.part(
              'errors',
              attempted(data.nodes, ({ reports }) => <Errors reports={reports} />),
            )}
          </div>
        </section>
        <section class="box" aria-labelledby="balances-title">
          <h2 id="balances-title">Keys that pay fees</h2>
          <div id="balances">{live.part('balances', attempted(data.balances, balances))}</div>
        </section>
      </div>
      <section class="box" aria-labelledby="jobs-title">
        <h2 id="jobs-title">Newest jobs</h2>
        {attempted(data.jobs, (jobs) => (
          <Jobs jobs={jobs} live={live} />
        ))}
      </section>
    </>
  );
}

function queue({ waiting, oldest }: QueueReport) {
  const states = Object.entries(waiting) as [JobStateName, number][];
  if (states.length === 0) return <p>None.</p>;
  return (
    <>
      <ul>
        {states.map(([state, jobs]) => (
          <li>
            <a href={`/search?q=${state}`}>
              <StateBadge state={state} />
            </a>{' '}
            {jobs}
          </li>
        ))}
      </ul>
      {oldest && (
        <p>
          The oldest is <a href={`/objects/${formatJobId(oldest.job)}`}>{formatJobId(oldest.job)}</a>, created{' '}
          <Time at={oldest.createdAt} />.
        </p>
      )}
    </>
  );
}

function balances(keys: readonly KeyBalance[]) {
  return (
    <ul>
      {keys.map(({ key, address, bnb }) => (
        <li>
          {key}: <strong>{bnb} BNB</strong> <code class="quiet">{address}</code>
        </li>
      ))}
    </ul>
  );
}

/** Jobs as the SQL DB has them. */
export function Jobs({ jobs, live }: { readonly jobs: readonly JobRecord[]; readonly live: Fragments }) {
  return (
    <Table
      id="jobs"
      live={live}
      caption="As the SQL DB has them"
      labels={['Object', 'State', 'Size', 'Created', 'Changed', 'Failure']}
      lines={jobs.map(
        ({ job, bucketName, objectName, state, payloadSize, createdAt, changedAt, failure }) => ({
          id: `job-${formatJobId(job)}`,
          cells: [
            <a href={`/objects/${formatJobId(job)}`}>
              {bucketName}/{objectName}
            </a>,
            <StateBadge state={state} />,
            size(payloadSize),
            <Time at={createdAt} />,
            <Time at={changedAt} />,
            failure && `${failure.code}: ${failure.message}`,
          ],
        }),
      )}
    />
  );
}
