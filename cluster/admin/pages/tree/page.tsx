import type { TreeNode } from '#runtime/actors/types';
import { count } from '../../../cli/units.ts';
import { Badge } from '../components/badge.tsx';
import { AmountDone } from '../components/chart.tsx';
import { Time } from '../components/time.tsx';
import type { Fragments } from '../live/fragments.tsx';
import type { View } from '../view.ts';
import { kindsOf, type TreeFilter } from './filter.ts';
import { formatOpen, type OpenActors, parseOpen } from './open-actors.ts';
import { type TreeRow, treeRows } from './rows.ts';

const WAITS: readonly (readonly [ms: number, text: string])[] = [
  [0, 'any time'],
  [10_000, '10 s'],
  [60_000, '1 min'],
  [600_000, '10 min'],
  [3_600_000, '1 h'],
  [86_400_000, '1 day'],
];
const MAX_TEXT = 200;
const LABELS = ['Actor', 'State', 'What it does', 'Since', 'Next try', 'Mailbox', 'Restarts', 'Last error'];

/** What the address of the page asks for. */
interface Asked {
  readonly open: OpenActors;
  readonly filter: TreeFilter;
}

/** @param query of the address; whatever does not belong is ignored */
export function askedOf(query: URLSearchParams): Asked {
  const waitsMs = Number(query.get('waits'));
  return {
    open: parseOpen(query.get('open') ?? ''),
    filter: {
      text: (query.get('q') ?? '').trim().slice(0, MAX_TEXT),
      kind: (query.get('kind') ?? '').slice(0, MAX_TEXT),
      waitsMs: WAITS.some(([ms]) => ms === waitsMs) ? waitsMs : 0,
    },
  };
}

/** The address of a view of the tree. */
export function addressOf({ open, filter }: Asked): string {
  const query = new URLSearchParams();
  if (open.size > 0) query.set('open', formatOpen(open));
  if (filter.text) query.set('q', filter.text);
  if (filter.kind) query.set('kind', filter.kind);
  if (filter.waitsMs > 0) query.set('waits', String(filter.waitsMs));
  const text = query.toString();
  return text === '' ? '/tree' : `/tree?${text}`;
}

export interface TreeData {
  readonly trees: readonly TreeNode[];
  /** Nodes that did not answer. */
  readonly silent: readonly string[];
}

/** Every actor of every node, as far as it is open or matches the filter. @param now unix ms */
export function treeView(data: TreeData, asked: Asked, now: number): View {
  return {
    title: 'Actors',
    isLive: true,
    body: (live) => <Tree {...data} {...asked} live={live} now={now} />,
  };
}

function Tree({
  trees,
  silent,
  open,
  filter,
  live,
  now,
}: TreeData & Asked & { readonly live: Fragments; readonly now: number }) {
  const found = treeRows(trees, open, filter, now);
  return (
    <>
      <h1>Actors</h1>
      <div id="tree-note">{live.part('tree-note', <Note {...found} silent={silent} />)}</div>
      <form class="tree" action="/tree" method="get" data-soft>
        <input type="hidden" name="open" value={formatOpen(open)} />
        <Fields filter={filter} kinds={kindsOf(trees)} live={live} />
        {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: rows have levels, and arrow keys move between them */}
        <table role="treegrid" aria-label="Actors">
          <thead>
            <tr>
              {LABELS.map((label) => (
                <th scope="col">{label}</th>
              ))}
            </tr>
          </thead>
          <tbody id="tree">
            {live.list(
              'tree',
              found.rows.map((row) => [row.id, <Row row={row} />]),
            )}
          </tbody>
        </table>
      </form>
    </>
  );
}

function Note({
  count: matching,
  total,
  silent,
}: {
  readonly count: number;
  readonly total: number;
  readonly silent: readonly string[];
}) {
  return (
    <>
      <p class="quiet">
        {matching === total ? count(total, 'actor') : `${matching} of ${count(total, 'actor')}`}.{' '}
        <a href="/tree">Close all</a>
      </p>
      {silent.length > 0 && (
        <p>
          <Badge tone="bad" text="no answer" /> {silent.join(', ')}
        </p>
      )}
    </>
  );
}

function Fields({
  filter,
  kinds,
  live,
}: {
  readonly filter: TreeFilter;
  readonly kinds: readonly string[];
  readonly live: Fragments;
}) {
  const known = kinds.includes(filter.kind) || filter.kind === '' ? kinds : [...kinds, filter.kind];
  return (
    <div class="fields">
      <label>
        Text
        <input name="q" type="search" value={filter.text} maxlength={MAX_TEXT} />
      </label>
      <label>
        Kind
        <select name="kind" id="kinds">
          {live.part('kinds', <Kinds kinds={known} chosen={filter.kind} />)}
        </select>
      </label>
      <label>
        Waits longer than
        <select name="waits">
          {WAITS.map(([ms, text]) => (
            <option value={ms === 0 ? '' : String(ms)} selected={ms === filter.waitsMs}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <button type="submit">Filter</button>
    </div>
  );
}

function Kinds({ kinds, chosen }: { readonly kinds: readonly string[]; readonly chosen: string }) {
  return (
    <>
      <option value="">all</option>
      {kinds.map((kind) => (
        <option value={kind} selected={kind === chosen}>
          {kind}
        </option>
      ))}
    </>
  );
}

function Row({ row }: { readonly row: TreeRow }) {
  const { id, level } = row;
  const className = `level-${Math.min(level, 6)}`;
  if (row.type === 'more') {
    return (
      <tr id={id} class={className} aria-level={String(level)}>
        <th scope="row" colspan={LABELS.length}>
          {count(row.hidden, 'more actor')}
          {row.toggle === undefined ? ': narrow the filter.' : ' '}
          {row.toggle !== undefined && (
            <button type="submit" name="toggle" value={row.toggle}>
              Show more
            </button>
          )}
        </th>
      </tr>
    );
  }
  const { node, isOpen, canToggle } = row;
  const { activity, lastError } = node;
  const hasChildren = node.children.length > 0;
  return (
    <tr
      id={id}
      class={className}
      aria-level={String(level)}
      aria-expanded={hasChildren ? String(isOpen) : undefined}
    >
      <th scope="row">
        {canToggle ? (
          <button
            type="submit"
            class="toggle"
            name="toggle"
            value={id}
            aria-expanded={String(isOpen)}
            aria-label={`${node.name}: ${count(node.children.length, 'actor')}`}
          >
            {isOpen ? '−' : '+'}
          </button>
        ) : (
          level > 1 && <span class="no-toggle" />
        )}
        <Name node={node} />
        {hasChildren && !isOpen && <span class="quiet"> {node.children.length}</span>}
      </th>
      <td data-label="State">
        <Badge tone={node.status === 'running' ? 'plain' : 'wait'} text={node.status} />
      </td>
      <td data-label="Does">
        {activity && (
          <>
            {activity.doing}
            {activity.progress && (
              <>
                {' '}
                <AmountDone {...activity.progress} />
              </>
            )}
            {activity.waitsFor !== undefined && (
              <>
                {' '}
                <Badge tone="wait" text={`waits for ${activity.waitsFor}`} />
              </>
            )}
          </>
        )}
      </td>
      <td data-label="Since">{activity && <Time at={activity.since} as="since" />}</td>
      <td data-label="Next try">
        {activity?.nextTryAt !== undefined && <Time at={activity.nextTryAt} as="until" />}
      </td>
      <td data-label="Mailbox">{node.mailbox > 0 && String(node.mailbox)}</td>
      <td data-label="Restarts">{node.restarts > 0 && String(node.restarts)}</td>
      <td data-label="Last error">
        {lastError && (
          <>
            <Badge tone="bad" text={lastError.code} /> {lastError.message} (<Time at={lastError.at} />)
          </>
        )}
      </td>
    </tr>
  );
}

/** The actor of an object leads to the page of its object. */
function Name({ node }: { readonly node: TreeNode }) {
  const job = /^object\/(\d+\.\d+)$/.exec(node.name)?.[1];
  return job === undefined ? <span>{node.name}</span> : <a href={`/objects/${job}`}>{node.name}</a>;
}
