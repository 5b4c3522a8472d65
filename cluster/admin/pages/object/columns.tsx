import { duration, rate } from '../../../cli/units.ts';
import type { ColumnView } from '../../view/job-view.ts';
import { Badge, type Tone } from '../components/badge.tsx';
import { AmountDone, Progress } from '../components/chart.tsx';
import { Table } from '../components/table.tsx';
import { Time } from '../components/time.tsx';
import type { Fragments } from '../live/fragments.tsx';

interface ColumnsProps {
  readonly columns: readonly ColumnView[];
  readonly live: Fragments;
}

const TONES: Readonly<Record<ColumnView['state'], Tone>> = {
  waiting: 'wait',
  moving: 'busy',
  stored: 'good',
};

/** The six columns: how far each is, how fast, and what it waits for. */
export function Columns({ columns, live }: ColumnsProps) {
  return (
    <Table
      id="columns"
      live={live}
      caption={columns.length === 0 ? 'No group has been chosen yet' : 'One for each secondary of the group'}
      labels={[
        'Column',
        'State',
        'Progress',
        'Rate',
        'Does, and waits for',
        'Since',
        'Next try',
        'Last error',
      ]}
      lines={columns.map((column) => ({ id: `column-${column.redundancyIndex}`, cells: cells(column) }))}
    />
  );
}

function cells({
  redundancyIndex,
  spId,
  state,
  activity,
  lastError,
  bytesPerSecond,
  completedAt,
}: ColumnView) {
  return [
    <a href={`/peers#peer-${spId}`}>{`${redundancyIndex}: SP ${spId}`}</a>,
    <Badge tone={TONES[state]} text={state} />,
    state === 'stored' ? (
      <Progress done={1} total={1} text="stored" />
    ) : (
      activity?.progress && <AmountDone {...activity.progress} />
    ),
    bytesPerSecond !== undefined && rate(bytesPerSecond, 1_000),
    activity && state !== 'stored' && (
      <>
        {activity.doing}{' '}
        {activity.waitsFor !== undefined && <Badge tone="wait" text={`waits for ${activity.waitsFor}`} />}
      </>
    ),
    completedAt !== undefined ? (
      <Time at={completedAt} />
    ) : (
      activity && <Time at={activity.since} as="since" />
    ),
    activity?.nextTryAt !== undefined && <Time at={activity.nextTryAt} as="until" />,
    lastError && (
      <>
        <Badge tone="bad" text={lastError.code} /> {lastError.message}
      </>
    ),
  ];
}

/** Both signatures of each secondary, and whether they were checked. */
export function Receipts({ columns, live }: ColumnsProps) {
  const stored = columns.filter(({ receipt }) => receipt);
  return (
    <Table
      id="receipts"
      live={live}
      caption={`${stored.length} of ${columns.length || 6}`}
      labels={['Column', 'Integrity hash', 'Approval key', 'BLS key']}
      lines={stored.map(({ redundancyIndex, spId, receipt }) => ({
        id: `receipt-${redundancyIndex}`,
        cells: [
          `${redundancyIndex}: SP ${spId}`,
          <code>{receipt?.integrityHash}</code>,
          receipt?.approvalSignature ? (
            <Signature {...receipt.approvalSignature} />
          ) : (
            <span class="quiet">none on this wire</span>
          ),
          receipt && <Signature {...receipt.blsSignature} />,
        ],
      }))}
    />
  );
}

function Signature({ signature, checked }: { readonly signature: string; readonly checked: boolean }) {
  return (
    <>
      <Badge tone={checked ? 'good' : 'wait'} text={checked ? 'checked' : 'not checked'} />{' '}
      <details>
        <summary>
          <code>{`${signature.slice(0, 10)}…`}</code>
        </summary>
        <code>{signature}</code>
      </details>
    </>
  );
}

/** How long something took. */
export function Took({ from, to }: { readonly from: number; readonly to?: number | undefined }) {
  return to === undefined ? <Time at={from} as="since" /> : <span>{duration(to - from)}</span>;
}
