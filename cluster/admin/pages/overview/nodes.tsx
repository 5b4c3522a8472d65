import type { Child } from 'hono/jsx';
import { count, duration, size } from '../../../cli/units.ts';
import { wasFenced } from '../../report/troubles.ts';
import type { NodeReport, NodeReports } from '../../view/node-report.ts';
import { ActionLink } from '../actions/link.tsx';
import { Badge, type Tone } from '../components/badge.tsx';
import { Table } from '../components/table.tsx';
import { Time } from '../components/time.tsx';
import type { Fragments } from '../live/fragments.tsx';

const LABELS = ['Node', 'State', 'Roles', 'Version', 'Durability', 'Load', 'Disk', 'Chain', 'NATS', 'SQL DB'];

/** Every node of the SP, those that do not answer too. */
export function Nodes({
  reports,
  silent,
  live,
  canAct,
  now,
}: NodeReports & { readonly live: Fragments; readonly canAct: boolean; readonly now: number }) {
  const labels = canAct ? [...LABELS, 'Actions'] : LABELS;
  return (
    <Table
      id="nodes"
      live={live}
      caption="Health as each node reports it"
      labels={labels}
      lines={[
        ...reports.map((report) => ({
          id: `node-${report.node}`,
          cells: [...cells(report, now), ...(canAct ? [<Actions {...report} />] : [])],
        })),
        ...silent.map((node) => ({
          id: `node-${node}`,
          cells: [
            node,
            <>
              <Badge tone="bad" text="does not answer" />{' '}
              <small class="quiet">Other nodes have its jobs and roles when its leases end.</small>
            </>,
            ...LABELS.slice(2).map(() => ''),
            ...(canAct ? [<ActionLink action="forget-node" target={node} />] : []),
          ],
        })),
      ]}
    />
  );
}

function cells(report: NodeReport, now: number): readonly Child[] {
  const { node, roles, version, durability, load, nats } = report;
  return [
    <>
      {node}{' '}
      <small class="quiet">
        started <Time at={report.since} />
      </small>
    </>,
    <State report={report} now={now} />,
    roles.join(', '),
    version,
    durability,
    `${load.jobs.inWork} of ${load.jobs.allowed} jobs, ${load.requests} requests, event loop ${duration(load.eventLoop.lateMs)}`,
    <Disk {...report} />,
    <ChainState {...report} />,
    nats.connected ? (
      `${nats.versions.join(', ')}${nats.rttMs === undefined ? '' : `, ${duration(nats.rttMs)}`}`
    ) : (
      <Badge tone="bad" text="not connected" />
    ),
    <SqlState {...report} />,
  ];
}

const READINESS: Readonly<Record<NodeReport['readiness'], Tone>> = {
  starting: 'busy',
  ready: 'good',
  draining: 'wait',
};

function State({ report, now }: { readonly report: NodeReport; readonly now: number }) {
  const { readiness, fenced, paused, leaseLosses } = report;
  if (fenced) {
    return (
      <>
        <Badge tone="bad" text="fenced" />{' '}
        <small>
          Another node was started after it and has its place: it writes nothing any more. Stop it.
        </small>
      </>
    );
  }
  return (
    <>
      <Badge tone={READINESS[readiness]} text={readiness} /> {paused && <Badge tone="wait" text="paused" />}{' '}
      {wasFenced(report, now) && <Badge tone="wait" text="was fenced" />}{' '}
      {leaseLosses && <Losses {...leaseLosses} />}
    </>
  );
}

/** A node that was suspended or cut off continues by itself; that it was is shown until it starts again. */
function Losses({ times, jobs, roles, lastAt }: NonNullable<NodeReport['leaseLosses']>) {
  return (
    <small class="quiet">
      Fenced {count(times, 'time')} since its start, last <Time at={lastAt} />: it was suspended or cut off
      from NATS for longer than a lease lasts, and lost {count(jobs, 'job')} and {count(roles, 'role')}, which
      may have gone to other nodes.
    </small>
  );
}

function Disk({ disk: { freeBytes, limitBytes, reserveBytes } }: NodeReport) {
  if (freeBytes === undefined) return <>unknown</>;
  return (
    <>
      {size(freeBytes)} free{limitBytes !== undefined && ` of ${size(limitBytes)}`}{' '}
      {freeBytes < reserveBytes && <Badge tone="bad" text="below the reserve" />}
    </>
  );
}

function ChainState({ chain }: NodeReport) {
  if (chain.error !== undefined) {
    return (
      <>
        <Badge tone="bad" text="away" /> {chain.error}
      </>
    );
  }
  return (
    <>
      {chain.height !== undefined && `block ${chain.height}`}{' '}
      {chain.blockAt !== undefined && <Time at={chain.blockAt} />}
    </>
  );
}

function SqlState({ records: { reachable, behind, error } }: NodeReport) {
  if (!reachable) {
    return (
      <>
        <Badge tone="bad" text="away" /> {error ?? ''}
      </>
    );
  }
  return (
    <>{behind !== undefined && behind > 0 ? <Badge tone="wait" text={`${behind} behind`} /> : 'up to date'}</>
  );
}

function Actions({ node, readiness, paused }: NodeReport) {
  return (
    <span class="acts">
      <ActionLink action={readiness === 'draining' ? 'undrain' : 'drain'} target={node} />
      <ActionLink action={paused ? 'resume-intake' : 'pause-intake'} target={node} />
    </span>
  );
}
