import type { Child } from 'hono/jsx';
import { formatJobId } from '#protocols/job/identity';
import { count, duration, size } from '../../../cli/units.ts';
import type { NodeReport, NodeReports } from '../../view/node-report.ts';
import type { QueueReport } from '../../view/provider-view.ts';
import type { Attempt } from '../components/attempt.tsx';
import { Sparkline } from '../components/chart.tsx';
import { Time } from '../components/time.tsx';
import { perSecond, together } from './hour.ts';

interface Data {
  readonly nodes: Attempt<NodeReports>;
  readonly queue: Attempt<QueueReport>;
  /** Unix ms. */
  readonly now: number;
}

/** The numbers that an operator looks at first. */
export function Tiles({ nodes, queue, now }: Data) {
  const reports = nodes.ok ? nodes.value.reports : [];
  return (
    <dl class="tiles">
      {reports.length > 0 && <Rates reports={reports} now={now} />}
      {queue.ok && <Waiting {...queue.value} />}
      {reports.length > 0 && <Health reports={reports} />}
    </dl>
  );
}

function Rates({ reports, now }: { readonly reports: readonly NodeReport[]; readonly now: number }) {
  const since = Math.max(...reports.map(({ lastHour }) => lastHour.since));
  const bytes = (value: number) => `${size(Math.round(value))}/s`;
  const perMinute = (value: number) => `${size(value)} in a minute`;
  const rateOf = (minutes: readonly number[]) => perSecond(minutes, since, now);
  const [uploads, bytesIn, bytesOut, seals] = (['uploads', 'bytesIn', 'bytesOut', 'seals'] as const).map(
    (one) => together(reports, one),
  ) as [readonly number[], readonly number[], readonly number[], readonly number[]];
  return (
    <>
      <Tile name="Uploads" value={`${(rateOf(uploads) * 60).toFixed(1)}/min`}>
        <Sparkline values={uploads} label="Uploads per minute" />
      </Tile>
      <Tile name="From clients" value={bytes(rateOf(bytesIn))}>
        <Sparkline values={bytesIn} label="Bytes from clients" format={perMinute} />
      </Tile>
      <Tile name="To clients" value={bytes(rateOf(bytesOut))}>
        <Sparkline values={bytesOut} label="Bytes to clients" format={perMinute} />
      </Tile>
      <Tile name="Seals" value={`${(rateOf(seals) * 60).toFixed(1)}/min`}>
        <Sparkline values={seals} label="Seals per minute" />
      </Tile>
    </>
  );
}

function Waiting({ waiting, oldest }: QueueReport) {
  const jobs = Object.values(waiting).reduce((sum, one) => sum + one, 0);
  return (
    <Tile name="Jobs that have not ended" value={String(jobs)}>
      {oldest ? (
        <>
          oldest <a href={`/objects/${formatJobId(oldest.job)}`}>{formatJobId(oldest.job)}</a>{' '}
          <Time at={oldest.createdAt} />
        </>
      ) : (
        'none waits'
      )}
    </Tile>
  );
}

function Health({ reports }: { readonly reports: readonly NodeReport[] }) {
  const free = reports.flatMap(({ disk }) => disk.freeBytes ?? []);
  const lags = reports.flatMap(({ chain }) => chain.lagMs ?? []);
  const away = reports.filter(({ chain }) => chain.error !== undefined).length;
  return (
    <>
      <Tile name="Least free disk" value={free.length > 0 ? size(Math.min(...free)) : 'unknown'} />
      <Tile name="Chain lag" value={lags.length > 0 ? duration(Math.max(...lags)) : 'unknown'}>
        {away > 0 && `${count(away, 'node')} cannot reach the chain`}
      </Tile>
    </>
  );
}

function Tile({
  name,
  value,
  children,
}: {
  readonly name: string;
  readonly value: string;
  readonly children?: Child;
}) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        {value}
        <small>{children}</small>
      </dd>
    </div>
  );
}
