import type { Child } from 'hono/jsx';
import type { Fragments } from '../live/fragments.tsx';

export interface Line {
  /** Of its element: unique on the page. */
  readonly id: string;
  /** One for each label of the table; the first is the line's heading. */
  readonly cells: readonly Child[];
}

export interface TableProps {
  readonly id: string;
  readonly live: Fragments;
  readonly caption: string;
  readonly labels: readonly string[];
  readonly lines: readonly Line[];
}

/** A table whose lines are updated one by one. On a narrow screen each line is a card, and each cell has its label. */
export function Table({ id, live, caption, labels, lines }: TableProps) {
  return (
    <table>
      <caption id={`${id}-caption`}>{live.part(`${id}-caption`, caption)}</caption>
      <thead>
        <tr>
          {labels.map((label) => (
            <th scope="col">{label}</th>
          ))}
        </tr>
      </thead>
      <tbody id={id}>
        {live.list(
          id,
          lines.map((line) => [line.id, <Row labels={labels} {...line} />]),
        )}
      </tbody>
    </table>
  );
}

function Row({ id, cells, labels }: Line & { readonly labels: readonly string[] }) {
  const [heading, ...others] = cells;
  return (
    <tr id={id}>
      <th scope="row">{heading}</th>
      {others.map((cell, i) => (
        <td data-label={labels[i + 1]}>{cell}</td>
      ))}
    </tr>
  );
}
