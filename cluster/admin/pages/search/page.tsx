import { JOB_STATE_NAMES } from '#protocols/job/states';
import type { SearchHit } from '../../view/provider-view.ts';
import { type Attempt, attempted } from '../components/attempt.tsx';
import { Badge, StateBadge } from '../components/badge.tsx';
import { Table } from '../components/table.tsx';
import { Time } from '../components/time.tsx';
import type { View } from '../view.ts';

export const MAX_QUERY = 200;

/** Finds jobs, peers and nodes. @param hits absent before anything is asked */
export function searchView(text: string, hits?: Attempt<readonly SearchHit[]>): View {
  return {
    title: text === '' ? 'Search' : `Search: ${text}`,
    isLive: false,
    body: (live) => (
      <>
        <h1>Search</h1>
        <form action="/search" method="get" class="fields">
          <label>
            Id, bucket/object, state, SP, node or error code
            <input name="q" type="search" value={text} maxlength={MAX_QUERY} list="states" />
          </label>
          <datalist id="states">
            {JOB_STATE_NAMES.map((state) => (
              <option value={state} />
            ))}
          </datalist>
          <button type="submit">Search</button>
        </form>
        {hits && (
          <section class="box" aria-label="Found">
            {attempted(hits, (found) =>
              found.length === 0 ? (
                <p>Nothing was found.</p>
              ) : (
                <Table
                  id="hits"
                  live={live}
                  caption={`Found for "${text}"`}
                  labels={['What', 'Kind', 'State', 'Changed', 'Failure']}
                  lines={found.map(line)}
                />
              ),
            )}
          </section>
        )}
      </>
    ),
  };
}

function line({ kind, path, title, job }: SearchHit, index: number) {
  return {
    id: `hit-${index}`,
    cells: [
      <a href={path}>{title}</a>,
      <Badge tone="plain" text={kind} />,
      job && <StateBadge state={job.state} />,
      job && <Time at={job.changedAt} />,
      job?.failure && `${job.failure.code}: ${job.failure.message}`,
    ],
  };
}
