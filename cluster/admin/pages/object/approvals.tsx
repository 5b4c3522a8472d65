import type { ApprovalView } from '../../view/job-view.ts';
import { Badge } from '../components/badge.tsx';
import { Table } from '../components/table.tsx';
import { Time } from '../components/time.tsx';
import type { Fragments } from '../live/fragments.tsx';

/** Who was asked for room, and what they said. */
export function Approvals({
  approvals,
  live,
}: {
  readonly approvals: readonly ApprovalView[];
  readonly live: Fragments;
}) {
  return (
    <Table
      id="approvals"
      live={live}
      caption={captionOf(approvals)}
      labels={['Provider', 'Answer', 'Group', 'Reason', 'When']}
      lines={approvals.map(
        ({ spId, redundancyIndex, gvgId, approved, silent, reason, expiresAt, at }, i) => ({
          id: `approval-${spId}-${redundancyIndex ?? i}`,
          cells: [
            <a href={`/peers#peer-${spId}`}>{`SP ${spId}`}</a>,
            <Badge
              tone={approved ? 'good' : silent ? 'wait' : 'bad'}
              text={approved ? 'approved' : silent ? 'silent' : 'refused'}
            />,
            gvgId,
            reason,
            <>
              {at !== undefined && <Time at={at} />}
              {expiresAt !== undefined && (
                <>
                  ends <Time at={expiresAt} as="until" />
                </>
              )}
            </>,
          ],
        }),
      )}
    />
  );
}

function captionOf(approvals: readonly ApprovalView[]): string {
  if (approvals.length === 0) return 'Nobody has refused, and no group is chosen yet';
  return approvals.some(({ approved }) => approved)
    ? 'Answers of other SPs to being asked for room'
    : 'Those that keep a group from being chosen';
}
