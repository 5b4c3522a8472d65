import { count, duration, size } from '../../../cli/units.ts';
import type { PeerReport } from '../../view/peer-report.ts';
import { ActionLink } from '../actions/link.tsx';
import { type Attempt, attempted } from '../components/attempt.tsx';
import { Badge } from '../components/badge.tsx';
import { Table } from '../components/table.tsx';
import { Time } from '../components/time.tsx';
import type { View } from '../view.ts';

const LABELS = [
  'Provider',
  'Wire',
  'Answered',
  'Lag',
  'Approvals',
  'Columns sent',
  'Columns received',
  'Repairs',
  'Last error',
];

/** Every other SP, as the nodes of this one know it. */
export function peersView(peers: Attempt<readonly PeerReport[]>, canAct: boolean, now: number): View {
  return {
    title: 'Peers',
    isLive: true,
    body: (live) => (
      <>
        <h1>Other storage providers</h1>
        <section class="box">
          {attempted(peers, (reports) => (
            <Table
              id="peers"
              live={live}
              caption="Counted since the nodes were started"
              labels={canAct ? [...LABELS, 'Actions'] : LABELS}
              lines={reports.map((peer) => ({
                id: `peer-${peer.spId}`,
                cells: [...cells(peer, now), ...(canAct ? [<Actions peer={peer} now={now} />] : [])],
              }))}
            />
          ))}
        </section>
      </>
    ),
  };
}

function cells(peer: PeerReport, now: number) {
  const { spId, endpoint, status, wire, answeredAt, lagMs, approvals, lastError } = peer;
  return [
    <>
      <span id={`sp-${spId}`}>SP {spId}</span> <small class="quiet">{endpoint}</small>{' '}
      {status !== undefined && <Badge tone="plain" text={status} />}{' '}
      {isBanned(peer, now) && <Banned until={peer.bannedUntil ?? 0} />}
    </>,
    wire ?? '',
    answeredAt === undefined ? 'not yet' : <Time at={answeredAt} />,
    lagMs === undefined ? '' : duration(lagMs),
    <>
      {approvals.given} given
      <Reasons reasons={approvals.refused} word="refused" />
      {approvals.silent > 0 && <div>{count(approvals.silent, 'ask')} not answered</div>}
    </>,
    <Exchanged {...peer.columnsOut} counted={count(peer.columnsOut.done, 'column')} />,
    <Exchanged {...peer.columnsIn} counted={count(peer.columnsIn.done, 'column')} />,
    <Repairs {...peer} />,
    lastError && (
      <>
        <Badge tone="bad" text={lastError.code} /> {lastError.message} (<Time at={lastError.at} />)
      </>
    ),
  ];
}

function Banned({ until }: { readonly until: number }) {
  return (
    <span class="badge bad">
      banned, ends <Time at={until} as="until" />
    </span>
  );
}

function isBanned({ bannedUntil = 0 }: PeerReport, now: number): boolean {
  return bannedUntil > now;
}

function Repairs({ fetched, served }: PeerReport) {
  return (
    <>
      <Exchanged {...fetched} counted={`${fetched.done} fetched`} />
      <br />
      <Exchanged {...served} counted={`${served.done} served`} />
    </>
  );
}

function Exchanged({
  counted,
  failed,
  bytes,
}: Pick<PeerReport['columnsOut'], 'failed' | 'bytes'> & { readonly counted: string }) {
  return (
    <>
      {`${counted}, ${size(bytes)}`}
      <Reasons reasons={failed} word="failed" />
    </>
  );
}

function Reasons({
  reasons,
  word,
}: {
  readonly reasons: Readonly<Record<string, number>>;
  readonly word: string;
}) {
  const entries = Object.entries(reasons).filter(([, times]) => times > 0);
  if (entries.length === 0) return null;
  return (
    <ul>
      {entries.map(([reason, times]) => (
        <li>
          {times} {word}: {reason}
        </li>
      ))}
    </ul>
  );
}

function Actions({ peer, now }: { readonly peer: PeerReport; readonly now: number }) {
  return <ActionLink action={isBanned(peer, now) ? 'unban-peer' : 'ban-peer'} target={String(peer.spId)} />;
}
