import type { JobEvent } from '#protocols/job/events';
import type { TreeNode } from '#runtime/actors/types';
import { Badge, StateBadge, toneOf } from '../components/badge.tsx';
import { Table } from '../components/table.tsx';
import { Moment, Time } from '../components/time.tsx';
import type { Fragments } from '../live/fragments.tsx';
import { Took } from './columns.tsx';
import { timelineOf } from './timeline.ts';

/** The states of the job, each with when it came and how long it stayed. */
export function Timeline({ events }: { readonly events: readonly JobEvent[] }) {
  return (
    <ol class="timeline">
      {timelineOf(events).map(({ state, from, to, notes }) => (
        <li class={toneOf(state)}>
          <StateBadge state={state} /> <Took from={from} to={to} />
          <br />
          <small class="quiet">
            <Moment at={from} />
          </small>
          {notes.map((note) => (
            <p>{note}</p>
          ))}
        </li>
      ))}
    </ol>
  );
}

/** Every event of the journal, with all that it says. */
export function Events({ events, live }: { readonly events: readonly JobEvent[]; readonly live: Fragments }) {
  return (
    <Table
      id="events"
      live={live}
      caption="Every event, oldest first"
      labels={['Number', 'When', 'Event', 'What it says']}
      lines={events.map((event, i) => ({
        id: `event-${i + 1}`,
        cells: [String(i + 1), <Moment at={event.at} />, event.type, <Facts event={event} />],
      }))}
    />
  );
}

function Facts({ event }: { readonly event: JobEvent }) {
  const { type: _, at: __, ...facts } = event;
  if (Object.keys(facts).length === 0) return null;
  return (
    <details>
      <summary>{Object.keys(facts).join(', ')}</summary>
      <pre>{JSON.stringify(facts, undefined, 2)}</pre>
    </details>
  );
}

/** The actors that work on the job now. */
export function Actors({ actors, live }: { readonly actors: readonly TreeNode[]; readonly live: Fragments }) {
  const all = actors.flatMap(withChildren);
  return (
    <Table
      id="actors"
      live={live}
      caption={all.length === 0 ? 'None at the moment' : 'Those that work on it now'}
      labels={['Actor', 'State', 'What it does', 'Since', 'Next try', 'Last error']}
      lines={all.map(({ path, status, activity, lastError }) => ({
        id: `actor-${path}`,
        cells: [
          path,
          status,
          activity && (
            <>
              {activity.doing}{' '}
              {activity.waitsFor !== undefined && (
                <Badge tone="wait" text={`waits for ${activity.waitsFor}`} />
              )}
            </>
          ),
          activity && <Time at={activity.since} as="since" />,
          activity?.nextTryAt !== undefined && <Time at={activity.nextTryAt} as="until" />,
          lastError && `${lastError.code}: ${lastError.message}`,
        ],
      }))}
    />
  );
}

function withChildren(node: TreeNode): readonly TreeNode[] {
  return [node, ...node.children.flatMap(withChildren)];
}
