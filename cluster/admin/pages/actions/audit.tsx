import type { AuditEntry } from '#runtime/records/audit';
import { type Attempt, attempted } from '../components/attempt.tsx';
import { Badge } from '../components/badge.tsx';
import { Table } from '../components/table.tsx';
import { Moment } from '../components/time.tsx';
import type { View } from '../view.ts';

/** Who did what when, and what came of it. */
export function auditView(entries: Attempt<readonly AuditEntry[]>): View {
  return {
    title: 'Audit',
    isLive: true,
    body: (live) => (
      <>
        <h1>Actions of operators</h1>
        <section class="box">
          {attempted(entries, (all) => (
            <Table
              id="audit"
              live={live}
              caption="The newest first"
              labels={['When', 'Who', 'Action', 'On', 'Reason', 'Outcome']}
              lines={all.map(({ id, at, who, action, target, reason, outcome, isDone }) => ({
                id: `audit-${id}`,
                cells: [
                  <Moment at={at} />,
                  who,
                  action,
                  target,
                  reason,
                  outcome === '' ? (
                    <>
                      <Badge tone="busy" text="no outcome" />{' '}
                      <a href={`/actions/${id}`}>It is in progress, or its node has stopped</a>
                    </>
                  ) : (
                    <>
                      <Badge tone={isDone ? 'good' : 'bad'} text={isDone ? 'done' : 'refused'} /> {outcome}
                    </>
                  ),
                ],
              }))}
            />
          ))}
        </section>
      </>
    ),
  };
}
